package zip

import (
	"bytes"
	"encoding/binary"

	"medlake/shared/lake"
)

const (
	localMark     = "PK\x03\x04"
	directoryMark = "PK\x01\x02"
	endMark       = "PK\x05\x06"
	end64Mark     = "PK\x06\x06"
	locatorMark   = "PK\x06\x07"

	localSize     = 30
	directorySize = 46
	endSize       = 22
	end64Size     = 56
	locatorSize   = 20
	commentMost   = 1<<16 - 1
)

// Is reports whether data begins as a zip does: with an entry, with the mark of an archive in one part, or with the end
// of an empty one. Archives behind other bytes, such as a program that unpacks itself, are none.
func Is(data []byte) bool {
	for _, mark := range []string{localMark, endMark, "PK\x07\x08" + localMark, "PK00" + localMark} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return true
		}
	}
	return false
}

// IsDocument reports whether a zip that begins with these bytes is an office document (OOXML, OpenDocument, EPUB) by the
// name of its first entry.
func IsDocument(head []byte) bool {
	if len(head) < localSize {
		return false
	}
	for _, name := range []string{"[Content_Types].xml", "_rels/", "docProps/", "mimetype"} {
		if bytes.HasPrefix(head[localSize:], []byte(name)) {
			return true
		}
	}
	return false
}

// end is what the end record says about the directory.
type end struct {
	at     int64 // where the record is: the directory ends before it
	offset int64 // where the directory begins
	size   int64
	count  uint64
}

// findEnd finds the last end record that fits the file. A file that was cut may hold the end record of an archive that
// is stored in it, so the record must name a directory that is there. If none does, bytes are missing, unless the last
// record and the place of its directory agree.
func findEnd(data []byte) (end, error) {
	last := int64(len(data)) - endSize
	damaged := false
	for at := last; at >= max(0, last-commentMost); at-- {
		if data[at] != 'P' || string(data[at:at+4]) != endMark {
			continue
		}
		comment := int64(binary.LittleEndian.Uint16(data[at+20:]))
		if at+endSize+comment > int64(len(data)) {
			continue
		}
		e, ok := readEnd(data, at)
		if ok {
			return e, nil
		}
		damaged = damaged || at+endSize+comment == int64(len(data)) && e.size > 0 && e.offset+e.size == e.at
	}
	if damaged {
		return end{}, lake.Refuse(lake.Corrupt, -1)
	}
	return end{}, lake.Refuse(lake.Truncated, -1)
}

func readEnd(data []byte, at int64) (end, bool) {
	b := data[at:]
	if binary.LittleEndian.Uint32(b[4:]) != 0 { // numbers of parts
		return end{}, false
	}
	e := end{
		at: at, count: uint64(binary.LittleEndian.Uint16(b[10:])),
		size: int64(binary.LittleEndian.Uint32(b[12:])), offset: int64(binary.LittleEndian.Uint32(b[16:])),
	}
	if e.count == 1<<16-1 || e.size == 1<<32-1 || e.offset == 1<<32-1 {
		if big, ok := readEnd64(data, at); ok {
			e = big
		}
	}
	switch {
	case e.offset < 0 || e.size < 0 || e.offset > e.at || e.size > e.at-e.offset:
		return e, false
	case e.count == 0 && e.size == 0:
		return e, e.at == 0 // nothing at all may come before the end of an empty archive
	}
	return e, bytes.HasPrefix(data[e.offset:], []byte(directoryMark))
}

// readEnd64 reads the zip64 records, which lie before the end record.
func readEnd64(data []byte, at int64) (end, bool) {
	l := at - locatorSize
	if l < 0 || string(data[l:l+4]) != locatorMark {
		return end{}, false
	}
	offset := binary.LittleEndian.Uint64(data[l+8:])
	if l < end64Size || offset > uint64(l-end64Size) {
		return end{}, false
	}
	b := data[offset:]
	if string(b[:4]) != end64Mark {
		return end{}, false
	}
	return end{
		at: int64(offset), count: binary.LittleEndian.Uint64(b[32:]),
		size: int64(binary.LittleEndian.Uint64(b[40:])), offset: int64(binary.LittleEndian.Uint64(b[48:])),
	}, true
}
