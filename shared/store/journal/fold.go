package journal

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Old entries are folded: a group of them is compressed into one object folded/<from>-<to>, one line an entry, and then
// each log/<n> is overwritten by a pointer to the group, in order. An entry is never missing, and whoever meets a pointer
// reads the same bytes as before, so folding changes nothing for readers and claimers, however old what they know is.
const (
	maxLines  = 4 << 20 // bytes of a group's entries before compression, unless it is one entry
	maxGroups = 4       // groups held in memory
	maxFolds  = 20      // groups folded by one call
)

// pointerFormat is no entry's format, so that a program that knows no pointers fails instead of seeing an empty entry.
const pointerFormat = lake.Format + 1

// pointer stands under the key of an entry that was folded.
type pointer struct {
	Format int   `json:"format"`
	N      int64 `json:"n"`
	From   int64 `json:"from"` // of the group
	To     int64 `json:"to"`
}

// group is a run of entries as they were stored.
type group struct {
	from  int64
	lines [][]byte
	size  int
}

func (g *group) to() int64 { return g.from + int64(len(g.lines)) - 1 }

// Fold folds the oldest entries up to upTo that are not folded yet and make full groups, and returns up to which entry all
// are folded now: each call does so much of a long log and no more. It leaves alone what is close to the tail. It may be
// stopped anywhere and run by several at once: all cut the same groups.
func (j *Journal) Fold(ctx context.Context, upTo int64) (int64, error) {
	tail, err := j.Tail(ctx)
	if err != nil {
		return 0, err
	}
	upTo = min(upTo, tail-j.Recent)
	done, err := j.foldedTo(ctx, upTo)
	for i := 0; i < maxFolds && err == nil && done < upTo; i++ {
		var g *group
		if g, err = j.nextGroup(ctx, done, upTo); err != nil || g == nil {
			break
		}
		if err = j.point(ctx, g, done); err == nil {
			done = g.to()
		}
	}
	j.mu.Lock()
	j.folded = max(j.folded, done)
	j.mu.Unlock()
	return done, err
}

// foldedTo is the last entry up to upTo that is folded, 0 if none is: those that are come first.
func (j *Journal) foldedTo(ctx context.Context, upTo int64) (int64, error) {
	j.mu.Lock()
	lo := j.folded
	j.mu.Unlock()
	for hi := upTo; lo < hi; {
		mid := (lo + hi + 1) / 2
		data, err := j.bucket.Get(ctx, store.LogKey(mid))
		if err != nil {
			return lo, fmt.Errorf(errorPrefix, mid, err)
		}
		if _, ok := pointerOf(data); ok {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo, nil
}

// nextGroup is the stored group that holds the entry after done; nil if the entries up to upTo do not fill one. What a
// group holds depends on the log alone, so that everybody cuts the same.
func (j *Journal) nextGroup(ctx context.Context, done, upTo int64) (*group, error) {
	if done > 0 { // perhaps somebody stopped within it
		g, err := j.groupOf(ctx, done)
		if err != nil || g.to() > done {
			return g, err
		}
	}
	g := &group{from: done + 1}
	for n := g.from; ; n++ {
		if n > upTo {
			return nil, nil
		}
		data, err := j.bucket.Get(ctx, store.LogKey(n))
		if err == nil {
			data, err = j.resolve(ctx, n, data)
		}
		if err != nil {
			return nil, fmt.Errorf(errorPrefix, n, err)
		}
		if len(g.lines) > 0 && g.size+len(data) > maxLines {
			break
		}
		g.lines = append(g.lines, data)
		if g.size += len(data); len(g.lines) == j.Group {
			break
		}
	}
	return g, j.write(ctx, g)
}

// write stores a group and reads it back: after this its entries are overwritten.
func (j *Journal) write(ctx context.Context, g *group) error {
	data, err := pack(g.lines)
	if err != nil {
		return fmt.Errorf("log entries %d to %d: %w", g.from, g.to(), err)
	}
	err = j.bucket.PutIfAbsent(ctx, store.FoldedKey(g.from, g.to()), data)
	if err != nil && !errors.Is(err, lake.ErrConflict) {
		return fmt.Errorf("log entries %d to %d: %w", g.from, g.to(), err)
	}
	stored, err := j.read(ctx, g.from, g.to())
	if err != nil {
		return err
	}
	if !slices.EqualFunc(stored.lines, g.lines, bytes.Equal) {
		return fmt.Errorf("log entries %d to %d: the folded ones are not the same", g.from, g.to())
	}
	return nil
}

// pack is what a group of entries is stored as.
func pack(lines [][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	for _, line := range lines {
		if bytes.IndexByte(line, '\n') >= 0 {
			return nil, errors.New("not one line each")
		}
		if _, err := z.Write(line); err != nil {
			return nil, err
		}
		if _, err := z.Write([]byte{'\n'}); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}

// point overwrites the entries of a stored group after done by pointers, in order, and shortens the records of their loads.
func (j *Journal) point(ctx context.Context, g *group, done int64) error {
	for n := done + 1; n <= g.to(); n++ {
		e, err := parse(n, g.lines[n-g.from])
		if err == nil {
			err = j.shorten(ctx, e)
		}
		if err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
		data, err := json.Marshal(pointer{pointerFormat, n, g.from, g.to()})
		if err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
		if err := j.bucket.Put(ctx, store.LogKey(n), data); err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
	}
	return nil
}

func pointerOf(data []byte) (p pointer, ok bool) {
	if len(data) > 200 || json.Unmarshal(data, &p) != nil {
		return p, false
	}
	return p, p.Format == pointerFormat
}

// resolve returns the bytes of entry n, given what lies under its key.
func (j *Journal) resolve(ctx context.Context, n int64, data []byte) ([]byte, error) {
	p, ok := pointerOf(data)
	if !ok {
		return data, nil
	}
	if p.N != n || n < p.From || p.To < n {
		return nil, errors.New("points to a group without it")
	}
	j.mu.Lock()
	data = j.grouped(n)
	j.mu.Unlock()
	if data != nil {
		return data, nil
	}
	g, err := j.read(ctx, p.From, p.To)
	if err != nil {
		return nil, err
	}
	return g.lines[n-g.from], nil
}

// groupOf reads the group that holds entry n, which is folded.
func (j *Journal) groupOf(ctx context.Context, n int64) (*group, error) {
	data, err := j.bucket.Get(ctx, store.LogKey(n))
	if err != nil {
		return nil, fmt.Errorf(errorPrefix, n, err)
	}
	p, ok := pointerOf(data)
	if !ok {
		return nil, fmt.Errorf("log entry %d: was folded and is not", n)
	}
	return j.read(ctx, p.From, p.To)
}

// read reads a group and keeps it in memory.
func (j *Journal) read(ctx context.Context, from, to int64) (g *group, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("log entries %d to %d: %w", from, to, err)
		}
	}()
	data, err := j.bucket.Get(ctx, store.FoldedKey(from, to))
	if err != nil {
		if errors.Is(err, lake.ErrNotFound) { // but not past the tail
			err = errors.New("the folded ones are lost")
		}
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	all, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	g = &group{from: from, size: len(all), lines: bytes.Split(bytes.TrimSuffix(all, []byte("\n")), []byte("\n"))}
	if g.to() != to {
		return nil, fmt.Errorf("the folded ones are %d", len(g.lines))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.groups = slices.Insert(j.groups, 0, g)
	j.groups = j.groups[:min(len(j.groups), maxGroups)]
	return g, nil
}

// grouped returns the bytes of entry n if a group that holds it is in memory. The caller holds mu.
func (j *Journal) grouped(n int64) []byte {
	for _, g := range j.groups {
		if g.from <= n && n <= g.to() {
			return g.lines[n-g.from]
		}
	}
	return nil
}
