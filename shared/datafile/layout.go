package datafile

import (
	"encoding/binary"
	"math"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Letters of a layout.
const (
	plainPages byte = 'p'
	dictionary byte = 'd'
)

// plan chooses each column's encoding from a sample of the first batch.
func (e *Encoder) plan(b *column.Batch) {
	for i := range e.leaves {
		e.layout[i] = plainPages
		if e.sampler.repeats(&b.Columns[e.order[i]]) {
			e.layout[i] = dictionary
		}
	}
}

// sampler counts distinct values of a sample in a small hash table.
type sampler struct {
	table [2048]uint64
	stamp uint64
}

const maxSample = 512

// repeats reports whether the values repeat so often that a dictionary pays: at most half of a sample is distinct.
func (s *sampler) repeats(c *column.Column) bool {
	var n int
	switch c.Type.Kind {
	case lake.String:
		n = len(c.Ends)
	case lake.Double:
		n = len(c.Floats)
	case lake.Boolean:
		return false
	default:
		n = len(c.Ints)
	}
	if n < 8 {
		return false
	}
	take := min(n, maxSample, 64+n/8)
	if s.stamp++; s.stamp&0xffff == 0 { // the marks of an older round would come back
		s.stamp, s.table = 1, [len(s.table)]uint64{}
	}
	distinct := 0
	for k := range take {
		i := k * n / take
		var h uint64
		switch c.Type.Kind {
		case lake.String:
			h = hash(value(c, i))
		case lake.Double:
			h = mix(math.Float64bits(c.Floats[i]))
		default:
			h = mix(uint64(c.Ints[i]))
		}
		if s.add(h) {
			if distinct++; distinct*2 > take {
				return false
			}
		}
	}
	return true
}

// add notes a hash and reports whether it is new. A slot holds 48 bits of hash and 16 of stamp.
func (s *sampler) add(h uint64) bool {
	slot := h>>8&^0xffff | s.stamp&0xffff
	for i := h; ; i++ {
		p := &s.table[i%uint64(len(s.table))]
		if *p == slot {
			return false
		}
		if (*p^s.stamp)&0xffff != 0 || *p == 0 {
			*p = slot
			return true
		}
	}
}

// hash is the same in every process, so that a file's bytes are.
func hash(b []byte) uint64 {
	h := uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h = mix(h ^ binary.LittleEndian.Uint64(b))
	}
	for _, c := range b {
		h = h<<8 | h>>56 ^ uint64(c)
	}
	return mix(h)
}

func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

// value is the i-th value of a string column, nulls not counted.
func value(c *column.Column, i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = c.Ends[i-1]
	}
	return c.Data[start:c.Ends[i]:c.Ends[i]]
}
