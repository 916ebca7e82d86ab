package query

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// apply limits this process for good: address space to what is mapped now plus Memory, processor time, file size, and no
// core files, which would hold rows.
func (l Limits) apply() error {
	mapped, err := mapped()
	if err != nil {
		return err
	}
	// The Go runtime maps ahead and gives back late; its own heap is small here.
	debug.SetMemoryLimit(l.Memory / 4)
	cpu := uint64((l.CPU + time.Second - 1) / time.Second)
	for _, r := range []struct {
		what      int
		soft, max uint64
	}{
		{syscall.RLIMIT_AS, mapped + uint64(l.Memory) + slack, mapped + uint64(l.Memory) + slack},
		{syscall.RLIMIT_CPU, cpu, cpu + 1},
		{syscall.RLIMIT_FSIZE, uint64(l.Spill), uint64(l.Spill)},
		{syscall.RLIMIT_CORE, 0, 0},
	} {
		if err := syscall.Setrlimit(r.what, &syscall.Rlimit{Cur: r.soft, Max: r.max}); err != nil {
			return fmt.Errorf("set limit %d: %w", r.what, err)
		}
	}
	return nil
}

// slack is address space for threads' stacks and allocators' arenas, which are mapped and hardly used.
const slack = 256 << 20

// mapped is the address space this process has mapped, in bytes.
func mapped() (uint64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read mapped memory: %w", err)
	}
	pages, err := strconv.ParseUint(strings.Fields(string(b))[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read mapped memory: %w", err)
	}
	return pages * uint64(os.Getpagesize()), nil
}
