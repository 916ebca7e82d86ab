package archive

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"

	"medlake/shared/archive/lock"
	"medlake/shared/archive/zip"
)

// ErrRewritten says that a rewritten archive did not read as it should, and was thrown away.
var ErrRewritten = errors.New("the rewritten archive does not hold exactly what it should")

// Change says what becomes of a member: its new plain bytes, or that it leaves. The bytes must not change until Rewrite
// returns.
type Change func(m *Member) (plain []byte, keep bool, err error)

// Rewrite returns the archive with what change makes of its members, in their order and under their names, archives inside
// rewritten too. It is locked with the first password by the strongest cipher that the archive was locked with (AES with
// 256 bits whatever it had), and holds nothing besides the members: no folder, junk, comment or time. An archive without a
// member left is nil. The result is opened and compared before it is returned. Errors are those of Open, change's own and
// ErrRewritten. All plain bytes are held in memory.
func Rewrite(data []byte, passwords []string, lim Limits, random io.Reader, change Change) (out []byte, err error) {
	a, err := Open(data, passwords, lim)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	w := rewriter{
		members: map[int]*Member{}, inner: map[int]bool{}, lim: lim.orDefaults(), change: change,
		lock: lock.Options{Random: random},
	}
	if len(passwords) > 0 {
		w.lock.Password = passwords[0]
	}
	for _, m := range a.members {
		w.members[m.Entry] = m
	}
	for _, m := range a.inner {
		w.members[m.Entry], w.inner[m.Entry] = m, true
	}
	out, err = w.level(data)
	if err != nil || out == nil {
		return nil, err
	}
	return out, w.check(out, passwords, lim)
}

// rewriter goes through an opened archive as the opener did.
type rewriter struct {
	members map[int]*Member // by entry, archives inside too
	inner   map[int]bool
	lim     Limits
	change  Change
	lock    lock.Options
	entry   int // number of the next entry
	kept    []kept
}

// kept is a member as it must read afterwards.
type kept struct{ name, plain []byte }

// level rewrites a zip or gzip.
func (w *rewriter) level(data []byte) ([]byte, error) {
	if !zip.Is(data) {
		return w.gzip(data)
	}
	entries, err := zip.Read(data, w.lim.Entries, nil)
	if err != nil {
		return nil, err
	}
	var files []lock.File
	o := w.lock
	for i := range entries {
		e := &entries[i]
		number := w.entry
		w.entry++
		if skipped(e) {
			continue
		}
		switch {
		case e.Cipher == zip.AES:
			o.Cipher = lock.AES256
		case e.Cipher == zip.ZipCrypto && o.Cipher == lock.None:
			o.Cipher = lock.ZipCrypto
		}
		plain, keep, err := w.member(number)
		if err != nil {
			return nil, err
		}
		if keep {
			files = append(files, lock.File{Name: string(e.Name), Data: plain})
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	return lock.Zip(files, o)
}

// gzip rewrites a gzip, with the name that stands in it.
func (w *rewriter) gzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read gzip header: %w", err)
	}
	w.entry++
	plain, keep, err := w.member(w.entry - 1)
	if err != nil || !keep {
		return nil, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Name = r.Name
	if _, err := z.Write(plain); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// member gives the new bytes of an entry. They are the caller's.
func (w *rewriter) member(number int) (plain []byte, keep bool, err error) {
	m := w.members[number]
	if m == nil {
		return nil, false, ErrRewritten
	}
	if w.inner[number] {
		old, err := m.Bytes()
		if err != nil {
			return nil, false, err
		}
		plain, err = w.level(old)
		return plain, plain != nil, err
	}
	if plain, keep, err = w.change(m); err != nil || !keep {
		return nil, false, err
	}
	plain = slices.Clone(plain) // also of a member that is released here
	w.kept = append(w.kept, kept{m.name, plain})
	return plain, true, m.Release()
}

// check opens what was written.
func (w *rewriter) check(out []byte, passwords []string, lim Limits) (err error) {
	a, err := Open(out, passwords[:min(1, len(passwords))], lim)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRewritten, err)
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if len(a.members) != len(w.kept) {
		return ErrRewritten
	}
	for i, m := range a.members {
		plain, err := m.Bytes()
		if err != nil {
			return err
		}
		if !bytes.Equal(plain, w.kept[i].plain) || !bytes.Equal(m.name, w.kept[i].name) {
			return ErrRewritten
		}
		if err := m.Release(); err != nil {
			return err
		}
	}
	return nil
}
