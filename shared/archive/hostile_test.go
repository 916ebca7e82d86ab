package archive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/archive"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
)

// refused opens data and wants a refusal.
func refused(t *testing.T, data []byte, words []string, lim archive.Limits, want lake.Reason, entry int) {
	t.Helper()
	a, err := archive.Open(data, words, lim)
	if err == nil {
		t.Errorf("opened with %d members, want %s", len(a.Members()), want)
		return
	}
	var r *lake.Refusal
	if !errors.As(err, &r) || !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("%v is no refusal", err)
		return
	}
	if r.Reason != want || r.Where.Entry != entry {
		t.Errorf("got %s, entry %d; want %s, entry %d", r.Reason, r.Where.Entry, want, entry)
	}
	for _, w := range words {
		if len(w) > 2 && strings.Contains(err.Error(), w) {
			t.Error("the error holds a password")
		}
	}
}

const csv = "ID,NAME\n1,Anna Example\n2,Bert Example\n3,Carla Example\n"

func long(n int) []byte { return bytes.Repeat([]byte(csv), n) }

func TestHostileZips(t *testing.T) {
	t.Parallel()
	all := archive.Defaults()
	with := func(change func(*archive.Limits)) archive.Limits {
		l := archive.Defaults()
		change(&l)
		return l
	}
	a, b := pack(t, "a.csv", long(10)), pack(t, "b.csv", long(20))
	change := func(p part, f func(*part)) part { f(&p); return p }
	zerosOf := func(n int) part { return pack(t, "z.csv", make([]byte, n)) }
	inner := build(a, b)
	for _, c := range []struct {
		name  string
		data  []byte
		lim   archive.Limits
		want  lake.Reason
		entry int
	}{
		{"nothing", nil, all, lake.NotAnArchive, -1},
		{"a text", []byte(csv), all, lake.NotAnArchive, -1},
		{"7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04 and so on"), all, lake.NotAnArchive, -1},
		{"a program that unpacks itself", append([]byte("MZ and so on"), inner...), all, lake.NotAnArchive, -1},
		{"three bytes", []byte("PK\x03"), all, lake.Truncated, -1},
		{"one byte of gzip", []byte("\x1f"), all, lake.Truncated, -1},
		{"an empty zip", end{}.bytes(), all, lake.NoMember, -1},
		{"folders only", build(store("in/", ""), store(`in\deep\`, "")), all, lake.NoMember, -1},
		{"junk only", build(store("__MACOSX/._a.csv", "x"), store("in/.DS_Store", "x"), store("._b", "x")), all, lake.NoMember, -1},
		{"a folder with content", build(a, store("in/", "hidden")), all, lake.Corrupt, 1},

		{"one member twice", build(a, b, change(a, func(p *part) { p.start = 0 })), all, lake.Overlap, 2},
		{"a member inside another", build(change(store("a", string(inner)), func(p *part) {}), change(a, func(p *part) { p.start = 31 })), all, lake.Overlap, 1},
		{"a member over the next", build(change(a, func(p *part) { p.packed = int64(len(p.body)) + 9 }), b), all, lake.Overlap, 1},
		{"a member over the directory", build(a, change(b, func(p *part) { p.packed = int64(len(p.body)) + 9 })), all, lake.Overlap, 1},
		{"a member that is not there", build(change(a, func(p *part) { p.start = 1 << 20 })), all, lake.Corrupt, 0},
		{"a member in the middle of nothing", build(a, change(b, func(p *part) { p.start = 7 })), all, lake.Corrupt, 1},
		{"a member at the highest offset", build(change(a, func(p *part) { p.start, p.zip64 = 1<<63-1, true })), all, lake.Corrupt, 0},
		{"a member with the highest size", build(change(a, func(p *part) { p.packed, p.zip64 = 1<<63-1, true })), all, lake.Overlap, 0},
		{"a negative size", build(change(a, func(p *part) { p.size, p.zip64 = 1<<63, true })), all, lake.Corrupt, 0},
		{"zip64 without its field", build(change(a, func(p *part) { p.size = 1<<32 - 1 })), all, lake.Corrupt, 0},

		{"more plain bytes than declared", build(change(a, func(p *part) { p.size-- })), all, lake.Corrupt, 0},
		{"a bomb that declares one byte", build(change(zerosOf(30<<20), func(p *part) { p.size = 1 })), all, lake.Corrupt, 0},
		{"fewer plain bytes than declared", build(a, change(b, func(p *part) { p.size++ })), all, lake.Corrupt, 1},
		{"stored, more declared", build(change(store("a", csv), func(p *part) { p.size++ })), all, lake.Corrupt, 0},
		{"stored, less declared", build(change(store("a", csv), func(p *part) { p.size-- })), all, lake.Corrupt, 0},
		{"stored, damaged", build(a, change(store("a", csv), func(p *part) { p.crc++ })), all, lake.Corrupt, 1},
		{"deflated, damaged", build(a, change(b, func(p *part) { p.crc++ })), all, lake.Corrupt, 1},
		{"the headers name other methods", build(change(a, func(p *part) { p.localOf = func(p *part) { p.method = 0 } })), all, lake.Corrupt, 0},
		{"only one header says encrypted", build(change(a, func(p *part) { p.localOf = func(p *part) { p.flags = 1 } })), all, lake.Corrupt, 0},

		{"bzip2", build(a, change(b, func(p *part) { p.method = 12 })), all, lake.UnsupportedMethod, 1},
		{"strong encryption", build(change(a, func(p *part) { p.flags = 1 | 1<<6 })), all, lake.UnsupportedMethod, 0},
		{"hidden headers", build(change(a, func(p *part) { p.flags = 1 | 1<<13 })), all, lake.UnsupportedMethod, 0},
		{"AES without its field", build(change(a, func(p *part) { p.flags, p.method = 1, 99 })), all, lake.UnsupportedMethod, 0},
		{"AES too short", build(change(a, func(p *part) {
			p.flags, p.method, p.body = 1, 99, p.body[:20]
			p.extra = []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', 3, 8, 0}
		})), all, lake.Corrupt, 0},
		{"ZipCrypto too short", build(change(a, func(p *part) { p.flags, p.body = 1, p.body[:11] })), all, lake.Corrupt, 0},

		{"a ratio of 1000", build(a, zerosOf(11<<20)), all, lake.Ratio, 1},
		{"many members of ratio 1000", build(many(t, 12, 1<<20)...), all, lake.Ratio, 10},
		{"a member over its limit", build(a, b), with(func(l *archive.Limits) { l.Member = int64(len(csv)) * 15 }), lake.TooLarge, 1},
		{"a member of three GiB", build(change(a, func(p *part) { p.size = 3 << 30 })), all, lake.TooLarge, 0},
		{"all over their limit", build(a, b), with(func(l *archive.Limits) { l.Total = int64(len(csv)) * 25 }), lake.TooLarge, 1},
		{"three entries of two", build(a, b, store("c", "")), with(func(l *archive.Limits) { l.Entries = 2 }), lake.TooManyEntries, -1},

		{"an archive inside when none may be", build(a, store("in.zip", string(inner))), with(func(l *archive.Limits) { l.Nested = 0 }), lake.Nested, 1},
		{"an archive in an archive inside", build(a, store("in.zip", string(build(store("in.zip", string(inner)))))), all, lake.Nested, 2},
		{"gzip in gzip inside", build(store("in.gz", string(gz(t, gz(t, long(3)))))), all, lake.Nested, 1},
		{"a damaged archive inside", build(a, store("in.zip", string(build(a, change(b, func(p *part) { p.crc++ }))))), all, lake.Corrupt, 3},
		{"a cut archive inside", build(a, store("in.zip", string(inner[:len(inner)-5]))), all, lake.Truncated, 1},
		{"entries inside count", build(a, store("in.zip", string(inner))), with(func(l *archive.Limits) { l.Entries = 3 }), lake.TooManyEntries, 1},
		{"bytes inside count", build(a, store("in.zip", string(inner))), with(func(l *archive.Limits) { l.Total = int64(len(csv)) * 30 }), lake.TooLarge, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.data, passwords, c.lim, c.want, c.entry)
		})
	}
}

func many(t *testing.T, n, size int) []part {
	var out []part
	for range n {
		out = append(out, pack(t, "z.csv", make([]byte, size)))
	}
	return out
}

func TestHostileDirectories(t *testing.T) {
	t.Parallel()
	body := build(pack(t, "a.csv", long(3)), pack(t, "b.csv", long(4)))
	body = body[:len(body)-len(end{}.bytes())]
	offset := uint64(bytes.Index(body, []byte("PK\x01\x02")))
	good := end{offset: offset, size: uint64(len(body)) - offset, count: 2}
	all := archive.Defaults()
	for _, c := range []struct {
		name  string
		tail  []byte
		want  lake.Reason
		entry int
	}{
		{"one entry too many", end{good.offset, good.size, 3}.bytes(), lake.Corrupt, -1},
		{"one entry too few", end{good.offset, good.size, 1}.bytes(), lake.Corrupt, -1},
		{"no entries", end{good.offset, 0, 0}.bytes(), lake.Truncated, -1},
		{"another place", end{good.offset + 1, good.size - 1, 2}.bytes(), lake.Corrupt, -1},
		{"past the end", end{good.offset, good.size + 100, 2}.bytes(), lake.Truncated, -1},
		{"cut in an entry", end{good.offset, good.size - 1, 2}.bytes(), lake.Corrupt, 1},
		{"zip64 with a million entries", end{good.offset, good.size, 1 << 20}.bytes64(uint64(len(body))), lake.TooManyEntries, -1},
		{"zip64 past the end", end{good.offset, good.size, 2}.bytes64(1 << 40), lake.Truncated, -1},
		{"zip64 with the highest numbers", end{1<<64 - 1, 1<<64 - 1, 2}.bytes64(uint64(len(body))), lake.Truncated, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refused(t, append(bytes.Clone(body), c.tail...), nil, all, c.want, c.entry)
		})
	}
	t.Run("zip64", func(t *testing.T) {
		t.Parallel()
		a, err := archive.Open(append(bytes.Clone(body), good.bytes64(uint64(len(body)))...), nil, all)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(a.Members()); n != 2 {
			t.Errorf("%d members", n)
		}
	})
	t.Run("bytes after the end", func(t *testing.T) {
		t.Parallel()
		data := append(append(bytes.Clone(body), good.bytes()...), make([]byte, 512)...)
		if _, err := archive.Open(data, nil, all); err != nil {
			t.Error(err)
		}
	})
	t.Run("a comment that looks like an end", func(t *testing.T) {
		t.Parallel()
		fake := end{good.offset, 0, 0}.bytes()
		data := append(bytes.Clone(body), good.bytes()...)
		binary.LittleEndian.PutUint16(data[len(data)-2:], uint16(len(fake)))
		if _, err := archive.Open(append(data, fake...), nil, all); err != nil {
			t.Error(err)
		}
	})
}

func TestZip64EntriesOpen(t *testing.T) {
	t.Parallel()
	p := pack(t, "a.csv", long(9))
	p.zip64 = true
	a, err := archive.Open(build(p), nil, archive.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := a.Members()[0].Bytes(); err != nil || !bytes.Equal(b, long(9)) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestNamesAreLabels(t *testing.T) {
	t.Parallel()
	a, err := archive.Open(build(store("../../etc/passwd", csv), store(`C:\in\a.csv`, csv), store("caf\x82.csv", csv), store("", csv)), nil, archive.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range a.Members() {
		got = append(got, m.Name())
	}
	if diff := cmp.Diff([]string{"../../etc/passwd", "C:/in/a.csv", "caf\uFFFD.csv", ""}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHostileGzips(t *testing.T) {
	t.Parallel()
	good := gz(t, long(50))
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[(at+len(b))%len(b)] ^= to
		return b
	}
	for _, c := range []struct {
		name  string
		data  []byte
		lim   archive.Limits
		want  lake.Reason
		entry int
	}{
		{"a damaged CRC", change(-8, 1), archive.Defaults(), lake.Corrupt, 0},
		{"a damaged size", change(-1, 1), archive.Defaults(), lake.Corrupt, 0},
		{"another method", change(2, 1), archive.Defaults(), lake.UnsupportedMethod, 0},
		{"reserved flags", change(3, 0x80), archive.Defaults(), lake.Corrupt, 0},
		{"garbage after it", append(bytes.Clone(good), "garbage"...), archive.Defaults(), lake.Corrupt, 0},
		{"half a second part", append(bytes.Clone(good), good[:30]...), archive.Defaults(), lake.Truncated, 0},
		{"a ratio of 1000", gz(t, make([]byte, 11<<20)), archive.Defaults(), lake.Ratio, 0},
		{"over the limit of a member", good, archive.Limits{Member: 1000}, lake.TooLarge, 0},
		{"over the limit of all", good, archive.Limits{Total: 1000}, lake.TooLarge, 0},
		{"an archive inside when none may be", gz(t, good), archive.Limits{}, lake.Nested, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.data, nil, c.lim, c.want, c.entry)
		})
	}
	if _, err := archive.Open(append(bytes.Clone(good), make([]byte, 100)...), nil, archive.Defaults()); err != nil {
		t.Errorf("zeros after it: %v", err)
	}
}

func TestCutArchivesAreTruncated(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"plain":                          build(pack(t, "a.csv", long(9)), pack(t, "b.csv", long(5))),
		"an archive stored inside":       build(pack(t, "a.csv", long(9)), store("in.zip", string(build(pack(t, "c.csv", long(5))))), pack(t, "b.csv", long(5))),
		"an empty archive stored inside": build(store("in.zip", string(end{}.bytes())), pack(t, "b.csv", long(5))),
		"locked":                         build(seal(t, "a.csv", long(5), lock.AES256, current)),
		"gzip":                           gz(t, long(30)),
	} {
		for n := 1; n < len(data); n++ {
			_, err := archive.Open(data[:n], passwords, archive.Defaults())
			var r *lake.Refusal
			if !errors.As(err, &r) || r.Reason != lake.Truncated {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
	}
}

func TestOfficeDocumentsAreNoEnvelopes(t *testing.T) {
	t.Parallel()
	document := build(pack(t, "[Content_Types].xml", long(2)), pack(t, "word/document.xml", long(3)))
	a, err := archive.Open(build(pack(t, "a.csv", long(2)), pack(t, "b.docx", document)), nil, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := a.Members()[1].Bytes(); err != nil || !bytes.Equal(b, document) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestEmptyMembersOpen(t *testing.T) {
	t.Parallel()
	empty := pack(t, "empty.csv", nil)
	a, err := archive.Open(build(empty, store("void.txt", "")), nil, archive.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range a.Members() {
		if b, err := m.Bytes(); err != nil || len(b) != 0 || m.Size != 0 {
			t.Errorf("entry %d: %d bytes, %v", m.Entry, len(b), err)
		}
	}
}
