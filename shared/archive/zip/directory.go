package zip

import (
	"cmp"
	"encoding/binary"
	"slices"

	"medlake/shared/lake"
)

// Read appends the entries of a zip to entries, in the order of its directory, at most most of them. Errors are
// *lake.Refusal; their entry counts from 0.
func Read(data []byte, most int, entries []Entry) ([]Entry, error) {
	e, err := findEnd(data)
	if err != nil {
		return entries, err
	}
	if e.count > uint64(most) {
		return entries, lake.Refuse(lake.TooManyEntries, -1)
	}
	first := len(entries)
	for rest := data[e.offset : e.offset+e.size]; len(rest) >= directorySize && string(rest[:4]) == directoryMark; {
		i := len(entries) - first
		if i == most {
			return entries, lake.Refuse(lake.TooManyEntries, -1)
		}
		var entry Entry
		if rest, err = entry.read(rest, data, e.offset); err != nil {
			return entries, at(err, i)
		}
		entries = append(entries, entry)
	}
	if uint16(len(entries)-first) != uint16(e.count) {
		return entries, lake.Refuse(lake.Corrupt, -1)
	}
	return entries, disjoint(entries[first:])
}

func at(err error, entry int) error {
	if r, ok := err.(*lake.Refusal); ok {
		c := *r
		c.Where.Entry = entry
		return &c
	}
	return err
}

var errCorrupt = lake.Refuse(lake.Corrupt, -1)

// read takes one line from the directory and finds the entry's bytes, which must lie before limit.
func (e *Entry) read(line, data []byte, limit int64) (rest []byte, err error) {
	le := binary.LittleEndian
	flags, method := le.Uint16(line[8:]), le.Uint16(line[10:])
	name, extra, comment := int(le.Uint16(line[28:])), int(le.Uint16(line[30:])), int(le.Uint16(line[32:]))
	all := directorySize + name + extra + comment
	if all > len(line) {
		return nil, errCorrupt
	}
	*e = Entry{
		Name: line[directorySize : directorySize+name], Method: method, HasCRC: true, CRC: le.Uint32(line[16:]),
		Size: int64(le.Uint32(line[24:])), start: int64(le.Uint32(line[42:])),
	}
	packed := int64(le.Uint32(line[20:]))
	fields := line[directorySize+name : directorySize+name+extra]
	if err := e.zip64(fields, &packed); err != nil {
		return nil, err
	}
	if err := e.locate(data, flags, method, packed, limit); err != nil {
		return nil, err
	}
	e.encryption(fields, flags)
	// APPNOTE says the CRC; with a data descriptor, when the CRC was not known yet, Info-ZIP and others use the time.
	e.Check = [2]byte{byte(e.CRC >> 24), byte(e.CRC >> 24)}
	if flags&8 != 0 {
		e.Check[1] = line[13]
	}
	return line[all:], nil
}

// field finds an extra field.
func field(fields []byte, id uint16) ([]byte, bool) {
	for len(fields) >= 4 {
		n := int(binary.LittleEndian.Uint16(fields[2:]))
		if n > len(fields)-4 {
			return nil, false
		}
		if binary.LittleEndian.Uint16(fields) == id {
			return fields[4 : 4+n], true
		}
		fields = fields[4+n:]
	}
	return nil, false
}

// zip64 replaces the values that do not fit into 32 bits; the field holds only those, in this order.
func (e *Entry) zip64(fields []byte, packed *int64) error {
	f, _ := field(fields, 1)
	for _, v := range []*int64{&e.Size, packed, &e.start} {
		if *v != 1<<32-1 {
			continue
		}
		if len(f) < 8 {
			return errCorrupt
		}
		if *v = int64(binary.LittleEndian.Uint64(f)); *v < 0 {
			return errCorrupt
		}
		f = f[8:]
	}
	return nil
}

// locate follows the local header, which must agree on what decides how the bytes are read.
func (e *Entry) locate(data []byte, flags, method uint16, packed, limit int64) error {
	if e.start > limit-localSize {
		return errCorrupt
	}
	h := data[e.start:]
	le := binary.LittleEndian
	if string(h[:4]) != localMark || le.Uint16(h[6:])&1 != flags&1 || le.Uint16(h[8:]) != method {
		return errCorrupt
	}
	begin := e.start + localSize + int64(le.Uint16(h[26:])) + int64(le.Uint16(h[28:]))
	if begin > limit {
		return errCorrupt
	}
	if packed > limit-begin {
		return lake.Refuse(lake.Overlap, -1) // with the directory
	}
	e.end = begin + packed
	e.Data = data[begin:e.end:e.end]
	return nil
}

func (e *Entry) encryption(fields []byte, flags uint16) {
	const encrypted, strong, masked = 1 << 0, 1 << 6, 1 << 13
	switch {
	case flags&(strong|masked) != 0:
		e.Cipher = Unknown
	case flags&encrypted == 0:
	case e.Method != methodAES:
		e.Cipher = ZipCrypto
	default:
		e.Cipher = Unknown
		f, _ := field(fields, 0x9901)
		if len(f) < 7 || f[2] != 'A' || f[3] != 'E' {
			return
		}
		version, strength := binary.LittleEndian.Uint16(f), f[4]
		if version < 1 || version > 2 || strength < 1 || strength > 3 {
			return
		}
		e.Cipher, e.KeySize, e.HasCRC = AES, 8+8*int(strength), version == 1
		e.Method = binary.LittleEndian.Uint16(f[5:])
	}
}

// disjoint proves that no two entries share a byte: the trick of a bomb that unpacks the same bytes again and again.
func disjoint(entries []Entry) error {
	byStart := func(a, b int) int { return cmp.Compare(entries[a].start, entries[b].start) }
	sorted := true
	for i := 1; i < len(entries); i++ {
		if entries[i].start < entries[i-1].end {
			sorted = false
			break
		}
	}
	if sorted {
		return nil
	}
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, byStart)
	for i := 1; i < len(order); i++ {
		if entries[order[i]].start < entries[order[i-1]].end {
			return lake.Refuse(lake.Overlap, max(order[i], order[i-1]))
		}
	}
	return nil
}
