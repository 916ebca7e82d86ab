package archive

import (
	"crypto/sha256"
	"hash/crc32"
	"io"

	"medlake/shared/archive/inflate"
	"medlake/shared/archive/zip"
	"medlake/shared/lake"
)

const (
	groupBytes = 1 << 20 // encrypted bytes decrypted at a time; a member with more is decrypted as it is read
	groupCount = 256
	headSize   = 64
)

// level is one zip while it is opened.
type level struct {
	*opener
	*workspace
	depth   int
	members []Member
	arena   []byte // where the next member that is kept goes
	opened  bool   // a password opened a member
	shut    *lake.Refusal
}

// zip opens a zip and what is in it.
func (o *opener) zip(data []byte, depth int) (err error) {
	l := &level{opener: o, workspace: workspaces.Get().(*workspace), depth: depth}
	defer l.release()
	l.entries, err = zip.Read(data, o.lim.Entries-o.entry, l.entries[:0])
	if err != nil {
		if r, ok := err.(*lake.Refusal); ok && r.Where.Entry >= 0 {
			return lake.Refuse(r.Reason, o.entry+r.Where.Entry)
		}
		return err
	}
	l.prepare()
	for from := 0; from < len(l.entries); {
		to, err := l.unlock(from)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			if err := l.member(i); err != nil {
				return err
			}
		}
		from = to
	}
	if l.shut == nil {
		return nil
	}
	if l.opened {
		return l.shut
	}
	return lake.Refuse(lake.WrongPassword, -1)
}

// skipped reports whether an entry is no member.
func skipped(e *zip.Entry) bool { return e.Folder() && e.Size == 0 || e.Junk() }

// prepare makes room for the members that can be kept: the first ones that fit.
func (l *level) prepare() {
	count, keep := 0, int64(0)
	for i := range l.entries {
		e := &l.entries[i]
		if skipped(e) {
			continue
		}
		count++
		if !inPlace(e) && keep+e.Size <= l.hold {
			keep += e.Size
		}
	}
	l.members = make([]Member, 0, count)
	l.archive.members = append(make([]*Member, 0, len(l.archive.members)+count), l.archive.members...)
	if keep > 0 {
		l.arena = *l.opener.arena(keep + inflate.Slack)
	}
}

// inPlace reports whether an entry's plain bytes stand in the archive as they are.
func inPlace(e *zip.Entry) bool { return e.Cipher == zip.Plain && e.Method == zip.Store }

// member proves an entry and takes it in.
func (l *level) member(i int) error {
	e, number := &l.entries[i], l.entry
	l.entry++
	if skipped(e) {
		return nil
	}
	if e.Method != zip.Store && e.Method != zip.Deflate || e.Cipher == zip.Unknown {
		return lake.Refuse(lake.UnsupportedMethod, number)
	}
	if e.Folder() || isLocked(e) && len(e.Data) < overhead(e) {
		return lake.Refuse(lake.Corrupt, number) // a folder with content, or no room for what a lock needs
	}
	if err := l.admit(e.Size, e.Size, int64(len(e.Data)), number); err != nil {
		return err
	}
	if e.Cipher == zip.Plain {
		r := recipe{method: methodOf(e), body: e.Data}
		p, err := l.prove(e, e.Data, &r)
		if err != nil {
			return lake.Refuse(lake.Corrupt, number)
		}
		return l.take(e, p, &r, number)
	}
	return l.locked(e, &l.trials[i], number)
}

func methodOf(e *zip.Entry) method {
	if e.Method == zip.Deflate {
		return deflated
	}
	return stored
}

// take makes a member of a proven entry.
func (l *level) take(e *zip.Entry, p proof, r *recipe, number int) error {
	l.members = append(l.members, Member{Entry: number, Size: e.Size, Sum: p.sum, archive: l.archive, name: e.Name})
	m := &l.members[len(l.members)-1]
	if m.held = p.held; m.held == nil {
		m.recipe = r.own()
	}
	return l.add(m, p.head, l.depth)
}

// proof is what was found out about plain bytes, also of some that did not hold.
type proof struct {
	sum  [32]byte
	held []byte // nil if they are not kept
	head []byte // the first bytes, valid until the next proof
	done bool   // the compressed stream came to its end with the declared size
}

// prove makes an entry's plain bytes and checks their number and CRC. Body is decrypted, or nil when the bytes are to be
// read by the recipe.
func (l *level) prove(e *zip.Entry, body []byte, r *recipe) (proof, error) {
	size := int(e.Size)
	switch {
	case e.Method == zip.Store && body != nil && size != len(body):
		return proof{head: head(body)}, inflate.ErrCorrupt
	case inPlace(e):
		return check(e, body, body)
	case e.Size <= l.hold && size+inflate.Slack <= len(l.arena):
		dst := l.arena[: size+inflate.Slack : size+inflate.Slack]
		p, err := l.expand(e, dst, body, r)
		if err == nil {
			p.held = dst[:size:size]
			l.arena = l.arena[size:]
			l.hold -= e.Size
		}
		return p, err
	case body != nil && size <= groupBytes:
		l.scratch = sized(l.scratch, groupBytes+inflate.Slack)
		return l.expand(e, l.scratch[:size+inflate.Slack], body, r)
	case body != nil:
		r = &recipe{method: r.method, body: body}
	}
	return l.stream(e, r, nil)
}

// expand makes all plain bytes in dst, which has Slack after them.
func (l *level) expand(e *zip.Entry, dst, body []byte, r *recipe) (proof, error) {
	size := int(e.Size)
	if body == nil {
		return l.stream(e, r, dst)
	}
	if e.Method == zip.Store {
		copy(dst, body)
		return check(e, dst[:size], nil)
	}
	n, err := l.decoder.Full(dst[:size:size+inflate.Slack], size, body)
	if err != nil {
		return proof{head: head(dst[:n])}, err
	}
	return check(e, dst[:size], nil)
}

// check compares the CRC, if there is one, and computes the sum.
func check(e *zip.Entry, plain, held []byte) (proof, error) {
	p := proof{head: head(plain), done: true}
	if e.HasCRC && crc32.ChecksumIEEE(plain) != e.CRC {
		return p, inflate.ErrCorrupt
	}
	p.sum, p.held = sha256.Sum256(plain), held
	return p, nil
}

func head(b []byte) []byte { return b[:min(len(b), headSize)] }

// stream proves plain bytes piece by piece, in dst if there is room for all of them.
func (l *level) stream(e *zip.Entry, r *recipe, dst []byte) (proof, error) {
	src, err := r.reader()
	if err != nil {
		return proof{}, err
	}
	defer src.Close()
	l.scratch = sized(l.scratch, groupBytes+inflate.Slack)
	p := proof{head: l.scratch[:0:headSize]}
	sum, crc, size := sha256.New(), uint32(0), int64(0)
	for {
		buf := l.scratch[headSize : 256<<10]
		if dst != nil {
			buf = dst[size:]
		}
		n, err := src.Read(buf)
		buf = buf[:n]
		size += int64(n)
		if len(p.head) < headSize {
			p.head = append(p.head, buf[:min(n, headSize-len(p.head))]...)
		}
		if size > e.Size {
			return p, inflate.ErrTooLong
		}
		sum.Write(buf)
		crc = crc32.Update(crc, crc32.IEEETable, buf)
		if err == io.EOF {
			break
		}
		if err != nil {
			return p, err
		}
	}
	if size != e.Size {
		return p, inflate.ErrTruncated
	}
	p.done = true
	if e.HasCRC && crc != e.CRC {
		return p, inflate.ErrCorrupt
	}
	sum.Sum(p.sum[:0])
	return p, nil
}
