package archive_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"medlake/shared/archive/lock"
	"medlake/shared/archive/zip"
)

// part is an entry of an archive built byte by byte, so that every field can lie.
type part struct {
	name    string
	flags   uint16
	method  uint16
	crc     uint32
	size    uint64
	body    []byte
	extra   []byte
	packed  int64 // declared size of body; -1 is the truth
	start   int64 // where the directory says the entry is; -1 is the truth
	zip64   bool
	localOf func(*part) // changes what the local header says
}

// store is an entry that is not compressed.
func store(name, text string) part {
	return part{name: name, crc: crc32.ChecksumIEEE([]byte(text)), size: uint64(len(text)), body: []byte(text), packed: -1, start: -1}
}

// pack is a deflated entry.
func pack(t testing.TB, name string, plain []byte) part {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p := store(name, "")
	p.method, p.crc, p.size, p.body = zip.Deflate, crc32.ChecksumIEEE(plain), uint64(len(plain)), b.Bytes()
	return p
}

// seal is an entry locked with a password.
func seal(t testing.TB, name string, plain []byte, cipher lock.Cipher, password string) part {
	t.Helper()
	data, err := lock.Zip([]lock.File{{Name: name, Data: plain}}, lock.Options{Cipher: cipher, Password: password, Random: zeros{}})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := zip.Read(data, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	p := store(name, "")
	p.method, p.crc, p.size, p.body = e.Method, e.CRC, uint64(e.Size), e.Data
	if e.Cipher != zip.Plain {
		p.flags = 1
	}
	if e.Cipher == zip.AES {
		p.method, p.extra = 99, []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', 3, byte(e.Method), 0}
	}
	return p
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// build writes an archive.
func build(parts ...part) []byte {
	var out, directory []byte
	le := binary.LittleEndian
	for _, p := range parts {
		start, packed := int64(len(out)), int64(len(p.body))
		local := p
		if p.localOf != nil {
			p.localOf(&local)
		}
		out = append(out, "PK\x03\x04"...)
		out = le.AppendUint16(le.AppendUint16(le.AppendUint16(out, 20), local.flags), local.method)
		out = le.AppendUint32(le.AppendUint32(out, 0), local.crc)
		out = le.AppendUint32(le.AppendUint32(out, uint32(packed)), uint32(local.size))
		out = le.AppendUint16(le.AppendUint16(out, uint16(len(p.name))), 0)
		out = append(append(out, p.name...), p.body...)

		if p.packed >= 0 {
			packed = p.packed
		}
		if p.start >= 0 {
			start = p.start
		}
		extra, packed32, size32, start32 := p.extra, uint32(packed), uint32(p.size), uint32(start)
		if p.zip64 {
			extra = le.AppendUint16(le.AppendUint16(bytes.Clone(extra), 1), 24)
			extra = le.AppendUint64(le.AppendUint64(le.AppendUint64(extra, p.size), uint64(packed)), uint64(start))
			packed32, size32, start32 = 1<<32-1, 1<<32-1, 1<<32-1
		}
		directory = append(directory, "PK\x01\x02"...)
		directory = le.AppendUint16(le.AppendUint16(directory, 20), 20)
		directory = le.AppendUint16(le.AppendUint16(directory, p.flags), p.method)
		directory = le.AppendUint32(le.AppendUint32(directory, 0), p.crc)
		directory = le.AppendUint32(le.AppendUint32(directory, packed32), size32)
		directory = le.AppendUint16(le.AppendUint16(directory, uint16(len(p.name))), uint16(len(extra)))
		directory = append(directory, make([]byte, 10)...) // comment, part, attributes
		directory = le.AppendUint32(directory, start32)
		directory = append(append(directory, p.name...), extra...)
	}
	end := end{offset: uint64(len(out)), size: uint64(len(directory)), count: uint64(len(parts))}
	return append(append(out, directory...), end.bytes()...)
}

// end is an end record.
type end struct{ offset, size, count uint64 }

func (e end) bytes() []byte {
	le := binary.LittleEndian
	b := append([]byte("PK\x05\x06"), 0, 0, 0, 0)
	b = le.AppendUint16(le.AppendUint16(b, uint16(e.count)), uint16(e.count))
	b = le.AppendUint32(le.AppendUint32(b, uint32(e.size)), uint32(e.offset))
	return append(b, 0, 0)
}

// bytes64 is an end record with its zip64 form before it, at the given offset.
func (e end) bytes64(at uint64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint64([]byte("PK\x06\x06"), 44)
	b = append(b, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint64(le.AppendUint64(b, e.count), e.count)
	b = le.AppendUint64(le.AppendUint64(b, e.size), e.offset)
	b = append(b, "PK\x06\x07\x00\x00\x00\x00"...)
	b = append(le.AppendUint64(b, at), 1, 0, 0, 0)
	return append(b, end{offset: 1<<32 - 1, size: 1<<32 - 1, count: 1<<16 - 1}.bytes()...)
}

// gz is a gzip of one part.
func gz(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
