//go:build darwin

package query

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// apply limits this process for good. Where the kernel does not hold a process to its memory, the process watches
// itself; the watch lives as long as the process.
func (l Limits) apply() error {
	cpu := uint64((l.CPU + time.Second - 1) / time.Second)
	for _, r := range []struct {
		what      int
		soft, max uint64
	}{
		{syscall.RLIMIT_CPU, cpu, cpu + 1},
		{syscall.RLIMIT_FSIZE, uint64(l.Spill), uint64(l.Spill)},
		{syscall.RLIMIT_CORE, 0, 0},
	} {
		if err := syscall.Setrlimit(r.what, &syscall.Rlimit{Cur: r.soft, Max: r.max}); err != nil {
			return fmt.Errorf("set limit %d: %w", r.what, err)
		}
	}
	start := peak()
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			if peak() > start+l.Memory {
				os.Exit(3)
			}
		}
	}()
	return nil
}

// peak is the most memory this process has held, in bytes.
func peak() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss
}
