package warehouse

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"time"
)

// nature is what a process does not decide itself.
type nature struct {
	clock  func() time.Time // nil: the machine's
	random io.Reader        // never fails
}

// Simulate gives the warehouse another clock than the machine's, which must be behind it, and other random numbers: the
// clock of states, and the numbers that snapshots and files are named by. Only what CreateTable makes, a UUID and a first
// metadata file, still is the machine's. Call it before all else; random must never fail.
func (w *Warehouse) Simulate(clock func() time.Time, random io.Reader) {
	w.cat.nature = nature{clock, random}
}

func (n nature) now() time.Time {
	if n.clock == nil {
		return time.Now()
	}
	return n.clock()
}

// name is one never given before.
func (n nature) name() string {
	var b [16]byte
	_, _ = io.ReadFull(n.random, b[:])
	return hex.EncodeToString(b[:])
}

// id is a positive number never given before.
func (n nature) id() int64 {
	var b [8]byte
	_, _ = io.ReadFull(n.random, b[:])
	return int64(binary.LittleEndian.Uint64(b[:])>>1 | 1)
}
