package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// target is how data files of one table are written: its published schema, seen from one version of the metadata.
type target struct {
	schema   lake.Schema // the wanted columns in their order, with the published field ids
	folder   string      // key of the table's folder
	encoders sync.Pool
}

func (t *target) encoder() (*datafile.Encoder, error) {
	if e, ok := t.encoders.Get().(*datafile.Encoder); ok {
		return e, nil
	}
	return datafile.NewEncoder(t.schema)
}

// targets keeps the targets of the newest metadata.
type targets struct {
	read   func(ctx context.Context, table string) (lake.Schema, error)
	bucket *store.Bucket

	mu      sync.Mutex
	version string
	kept    map[string]*target // by table
}

// of returns the target of a wanted schema under a version of the metadata. A column that is wanted and not published
// yet is an error that passes: commit publishes when it sees the metadata.
func (t *targets) of(ctx context.Context, version string, want lake.Schema) (*target, error) {
	t.mu.Lock()
	var kept *target
	if t.version == version {
		kept = t.kept[want.Table]
	}
	t.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	published, err := t.read(ctx, want.Table)
	if errors.Is(err, lake.ErrNotFound) {
		return nil, fmt.Errorf("table %s is not published yet", want.Table)
	}
	if err != nil {
		return nil, err
	}
	made, err := t.project(want, published)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.version != version {
		t.version, t.kept = version, map[string]*target{}
	}
	t.kept[want.Table] = made
	return made, nil
}

// project gives the wanted columns the ids of the published ones.
func (t *targets) project(want, published lake.Schema) (*target, error) {
	ids := make(map[string]lake.Column, len(published.Columns))
	for _, c := range published.Columns {
		ids[c.Name] = c
	}
	s := published
	s.Columns = make([]lake.Column, len(want.Columns))
	for i, c := range want.Columns {
		p, ok := ids[c.Name]
		if !ok {
			return nil, fmt.Errorf("table %s: column %s is not published yet", want.Table, c.Name)
		}
		if p.Type != c.Type {
			return nil, fmt.Errorf("table %s: column %s is %s in the metadata and %s in the table", want.Table, c.Name, c.Type, p.Type)
		}
		delete(ids, c.Name)
		c.ID, c.Required = p.ID, p.Required
		s.Columns[i] = c
	}
	for _, p := range ids {
		if p.Required {
			return nil, fmt.Errorf("table %s: column %s is required in the table and not in the metadata", want.Table, p.Name)
		}
	}
	folder, err := t.bucket.Key(s.Location)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", want.Table, err)
	}
	return &target{schema: s, folder: strings.TrimSuffix(folder, "/")}, nil
}
