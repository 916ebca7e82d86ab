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
