//go:build unix

package ingest

import (
	"os"
	"syscall"
)

// mapFile maps the first size bytes of a file for reading. The mapping outlives the file.
func mapFile(file *os.File, size int64) (data []byte, free func() error, err error) {
	data, err = syscall.Mmap(int(file.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	return data, func() error { return syscall.Munmap(data) }, err
}

// limitProcess bounds the address space and the processor time of this process.
func limitProcess(bytes, seconds uint64) error {
	for resource, max := range map[int]uint64{syscall.RLIMIT_AS: bytes, syscall.RLIMIT_CPU: seconds} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: max, Max: max}); err != nil {
			return err
		}
	}
	return nil
}
