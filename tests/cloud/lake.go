package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

//go:embed testdata/metadata
var metadata embed.FS

// lakeOf is a lake over servers, as functions see it by their environment and as checks look into it.
type lakeOf struct {
	env      []string
	metadata string // folder
	secrets  string // URL
	bucket   *store.Bucket
	tables   *warehouse.Warehouse
}

var customers = []string{"acme", "birch", "cedar", "stmary"}

func password(customer string) string { return customer + " opens it" }

// newLake writes metadata and secrets and opens an empty lake.
func (c *cloud) newLake(ctx context.Context, bucket, catalog string) (*lakeOf, error) {
	dir := filepath.Join(c.dir, c.name())
	files, err := fs.Sub(metadata, "testdata/metadata")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(filepath.Join(dir, "metadata"), files); err != nil {
		return nil, err
	}
	for _, customer := range customers {
		if err := os.MkdirAll(filepath.Join(dir, "secrets/zip"), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "secrets/zip", customer), []byte(password(customer)+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	l := &lakeOf{metadata: filepath.Join(dir, "metadata"), secrets: store.FileURL(filepath.Join(dir, "secrets"))}
	l.env = []string{"MEDLAKE_BUCKET=" + bucket, "MEDLAKE_CATALOG=" + catalog, "MEDLAKE_METADATA=" + l.metadata, "MEDLAKE_SECRETS=" + l.secrets}
	if l.bucket, err = store.Open(ctx, bucket); err != nil {
		return nil, err
	}
	if l.tables, err = warehouse.Open(ctx, catalog, l.bucket); err != nil {
		return nil, errors.Join(err, l.bucket.Close())
	}
	return l, nil
}

func (l *lakeOf) close() error { return errors.Join(l.tables.Close(), l.bucket.Close()) }

// rows reads columns of text or integers of a table as any engine would: its newest snapshot's files without the rows that are deleted. A null
// is "".
func (l *lakeOf) rows(ctx context.Context, table string, columns ...string) (all [][]string, err error) {
	p, err := l.tables.Plan(ctx, table, "")
	if err != nil {
		return nil, err
	}
	hidden := map[string]map[int64]bool{}
	for _, url := range p.Deletes {
		if err := l.deleted(ctx, url, hidden); err != nil {
			return nil, err
		}
	}
	for _, f := range p.Files {
		key, err := l.bucket.Key(f.Path)
		if err != nil {
			return nil, err
		}
		r, err := datafile.OpenReader(l.bucket.ReaderAt(ctx, key, f.Bytes), f.Bytes, p.Schema)
		if err != nil {
			return nil, err
		}
		row := int64(0)
		for g := range r.Groups() {
			batch := column.New(p.Schema.Columns)
			if err := r.Read(g, columns, batch); err != nil {
				return nil, err
			}
			for i, line := range lines(batch, columns) {
				if !hidden[f.Path][row+int64(i)] {
					all = append(all, line)
				}
			}
			row += r.GroupRows(g)
		}
	}
	return all, nil
}

func (l *lakeOf) deleted(ctx context.Context, url string, hidden map[string]map[int64]bool) error {
	key, err := l.bucket.Key(url)
	if err != nil {
		return err
	}
	o, err := l.bucket.Head(ctx, key)
	if err != nil {
		return err
	}
	return datafile.ReadDeletes(l.bucket.ReaderAt(ctx, key, o.Size), o.Size, func(path []byte, row int64) {
		if hidden[string(path)] == nil {
			hidden[string(path)] = map[int64]bool{}
		}
		hidden[string(path)][row] = true
	})
}

// lines turns columns into rows of text.
func lines(b *column.Batch, columns []string) [][]string {
	out := make([][]string, b.Rows)
	for i := range out {
		out[i] = make([]string, len(columns))
	}
	for at, name := range columns {
		for k := range b.Columns {
			c := &b.Columns[k]
			if c.Name != name {
				continue
			}
			next := 0 // values stand packed, without the nulls
			for i := range c.Len() {
				if c.Valid[i] == 1 {
					out[i][at] = value(c, next)
					next++
				}
			}
		}
	}
	return out
}

func value(c *column.Column, i int) string {
	if c.Type.Kind == lake.String {
		return string(c.Text(i))
	}
	return strconv.FormatInt(c.Ints[i], 10)
}

// pending counts what ingest has finished and commit has not taken.
func (l *lakeOf) pending(ctx context.Context) (n int, err error) {
	for _, err := range l.bucket.List(ctx, store.PendingPrefix) {
		if err != nil {
			return n, fmt.Errorf("list pending: %w", err)
		}
		n++
	}
	return n, nil
}
