package pbkdf2

import "encoding/binary"

// width is how many chains run side by side.
const width = 16

// words are the five words of a marshalled state of SHA-1, which follow its four-byte mark.
func words(state []byte) (w [5]uint32) {
	for i := range w {
		w[i] = binary.BigEndian.Uint32(state[4+4*i:])
	}
	return w
}

// lanes are sixteen chains side by side: word i of chain l is [i][l]. The assembly knows the order of the fields.
type lanes struct {
	inner, outer [5][width]uint32 // states after the key block
	last, sum    [5][width]uint32 // the last HMAC, and all of them xored
}

func (s *lanes) set(l int, p *Password, first []byte) {
	inner, outer := words(p.inner), words(p.outer)
	for i := range 5 {
		s.inner[i][l], s.outer[i][l] = inner[i], outer[i]
		w := binary.BigEndian.Uint32(first[4*i:])
		s.last[i][l], s.sum[i][l] = w, w
	}
}

// get writes as much of chain l's result as out holds.
func (s *lanes) get(l int, out []byte) {
	var b [20]byte
	for i := range 5 {
		binary.BigEndian.PutUint32(b[4*i:], s.sum[i][l])
	}
	copy(out, b[:])
}
