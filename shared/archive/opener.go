package archive

import (
	"bytes"

	"medlake/shared/archive/zip"
	"medlake/shared/lake"
)

// opener is the state of one Open over all levels.
type opener struct {
	archive   *Archive
	lim       Limits
	size      int64 // of the whole archive
	passwords []password
	lead      int   // the password to try first
	entry     int   // number of the next entry
	plain     int64 // plain bytes so far
	hold      int64 // plain bytes that may still be kept
}

func newOpener(data []byte, passwords []string, lim Limits) *opener {
	return &opener{
		archive: &Archive{}, lim: lim, size: int64(len(data)), passwords: prepare(passwords), hold: lim.Hold,
	}
}

// open opens one level. The name is that of the member it was, for a gzip that has none.
func (o *opener) open(data, name []byte, depth int) error {
	switch {
	case zip.Is(data):
		return o.zip(data, depth)
	case isGzip(data):
		return o.gzip(data, name, depth)
	case len(data) > 0 && len(data) < 4 && (bytes.HasPrefix([]byte("PK\x03\x04"), data) || data[0] == 0x1f && len(data) == 1):
		return lake.Refuse(lake.Truncated, -1)
	}
	return lake.Refuse(lake.NotAnArchive, -1)
}

// admit counts the plain bytes of a member against the limits before or while they are made. More is what was not
// counted yet, size and packed are the member's so far.
func (o *opener) admit(more, size, packed int64, number int) error {
	o.plain += more
	switch {
	case size > o.lim.Member || o.plain > o.lim.Total:
		return lake.Refuse(lake.TooLarge, number)
	case o.suspicious(size, packed) || o.suspicious(o.plain, o.size):
		return lake.Refuse(lake.Ratio, number)
	}
	return nil
}

// suspicious reports whether plain bytes are more than the ratio allows.
func (o *opener) suspicious(plain, packed int64) bool {
	return plain > o.lim.RatioAfter && (plain-1)/o.lim.Ratio >= packed
}

// isGzip reports whether data begins as gzip does.
func isGzip(data []byte) bool { return bytes.HasPrefix(data, []byte("\x1f\x8b")) }

// isArchive reports whether a member that begins with these bytes is an envelope itself. Office documents are zips too,
// but no envelopes.
func isArchive(head []byte) bool {
	return zip.Is(head) && !zip.IsDocument(head) || bytes.HasPrefix(head, []byte("\x1f\x8b\x08"))
}

// add takes a proven member in, or opens it if it is an archive.
func (o *opener) add(m *Member, head []byte, depth int) error {
	if !isArchive(head) {
		o.archive.members = append(o.archive.members, m)
		return nil
	}
	if depth >= o.lim.Nested {
		return lake.Refuse(lake.Nested, m.Entry)
	}
	data, err := m.Bytes()
	if err != nil {
		return err
	}
	o.archive.inner = append(o.archive.inner, m) // its bytes are needed until Close
	return blame(o.open(data, bytes.TrimSuffix(m.name, []byte(".gz")), depth+1), m.Entry)
}

// blame names the member for a refusal that names none.
func blame(err error, entry int) error {
	if r, ok := err.(*lake.Refusal); ok && r.Where.Entry < 0 {
		return lake.Refuse(r.Reason, entry)
	}
	return err
}

// arena is memory for plain bytes that lives as long as the archive.
func (o *opener) arena(n int64) *[]byte {
	b := getBuffer(&arenas, int(n))
	o.archive.arenas = append(o.archive.arenas, b)
	return b
}
