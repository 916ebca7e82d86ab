// Package archive opens the envelopes that senders lock their files in: zip (stored or deflated; plain, ZipCrypto or
// WinZip AES) and gzip, also inside each other, told apart by their bytes and never by a name. When Open returns, every
// member is decrypted, inflated and proven by its CRC or authentication code once, within limits. It does not know what
// the members hold, writes an archive only as another without some of what it had (Rewrite), and never uses a member's name as a path.
package archive

import (
	"errors"
	"io/fs"

	"medlake/shared/lake"
)

// Limits bound what hostile input can cost. A zero field has its default, but Nested is taken as it is.
type Limits struct {
	Entries    int   // of all directories together
	Member     int64 // plain bytes of a member
	Total      int64 // plain bytes of all members, and of archives inside
	Ratio      int64 // plain bytes for a byte of archive
	RatioAfter int64 // plain bytes from which on Ratio counts
	Nested     int   // how deep archives may lie in archives
	Hold       int64 // plain bytes kept in memory; what goes past it is inflated again when it is asked for
}

// Defaults are the limits of a feed that sets none.
func Defaults() Limits {
	return Limits{
		Entries: 100_000, Member: 2 << 30, Total: 8 << 30, Ratio: 200, RatioAfter: 10 << 20, Nested: 1, Hold: 16 << 20,
	}
}

func (l Limits) orDefaults() Limits {
	d := Defaults()
	or := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	if l.Entries == 0 {
		l.Entries = d.Entries
	}
	or(&l.Member, d.Member)
	or(&l.Total, d.Total)
	or(&l.Ratio, d.Ratio)
	or(&l.RatioAfter, d.RatioAfter)
	or(&l.Hold, d.Hold)
	return l
}

// Archive is an opened envelope. It is not safe for concurrent use; different archives are.
type Archive struct {
	members []*Member
	inner   []*Member // archives among the members, opened too
	arenas  []*[]byte // memory of members kept
	closed  bool
}

// Open opens data, which must not change until Close. Passwords are tried for each member in their order, beginning with
// the one that opened a member last. Input at fault gives a *lake.Refusal, with the number of the entry if one is to
// blame; any other error is the machine's.
func Open(data []byte, passwords []string, lim Limits) (*Archive, error) {
	o := newOpener(data, passwords, lim.orDefaults())
	err := o.open(data, nil, 0)
	if err == nil && len(o.archive.members) == 0 {
		err = lake.Refuse(lake.NoMember, -1)
	}
	if err == nil {
		return o.archive, nil
	}
	if closing := o.archive.Close(); closing != nil {
		err = errors.Join(err, closing)
	}
	return nil, err
}

// Members are the files of the archive and of archives inside, in directory order: no folders, and nothing that
// operating systems add unasked.
func (a *Archive) Members() []*Member { return a.members }

// Close gives the memory of all members back. What Bytes returned must not be used after it.
func (a *Archive) Close() error {
	if a.closed {
		return nil
	}
	a.closed = true
	var err error
	for _, list := range [][]*Member{a.members, a.inner} {
		for _, m := range list {
			err = errors.Join(err, m.Release())
			m.held, m.recipe = nil, nil
		}
	}
	for _, b := range a.arenas {
		putBuffer(&arenas, b)
	}
	a.arenas = nil
	return err
}

var errClosed = fs.ErrClosed
