package node

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"medlake/shared/query"
)

// elsewhere opens a lake whose bucket is not in its folder.
func elsewhere(t *testing.T, dir string) *Node {
	t.Helper()
	n, err := Open(t.Context(), Config{Data: dir, Bucket: "mem://", Metadata: "../testdata/metadata", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func files(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A statement's files are there while it runs, readable for nobody else, and gone with it.
func TestStatementsFetchTheirFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := elsewhere(t, dir)
	a, err := n.Store(t.Context(), "acme", "labs/x.zip", bytes.NewReader(upload(t, "labs.csv", "lab_id,code\nL1,GLU\n")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Ingest.Process(t.Context(), a, false); err != nil {
		t.Fatal(err)
	}
	if err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	fetched := filepath.Join(dir, "fetched")
	res, err := n.Reader.Query(t.Context(), query.Request{SQL: "SELECT lab_id FROM labs"})
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, fetched); got != 1 {
		t.Errorf("%d files are there, want the one of the table", got)
	}
	if info, err := os.Stat(fetched); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v, %v", info.Mode(), err)
	}
	if err := res.Close(); err != nil {
		t.Error(err)
	}
	if got := answer(t, n, "SELECT lab_id FROM labs"); len(got) != 1 || got[0][0] != "L1" {
		t.Errorf("got %v", got)
	}
	if got := files(t, fetched); got != 0 {
		t.Errorf("%d files stay", got)
	}
}

// What a process that died has left is removed by the next; a living one's stays.
func TestRoomsOfTheDeadAreCleaned(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	lives, err := openRoom(base)
	if err != nil {
		t.Fatal(err)
	}
	dead, err := openRoom(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*room{lives, dead} {
		if err := os.WriteFile(filepath.Join(r.dir, "0.parquet"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := dead.lock.Close(); err != nil { // as the end of a process does
		t.Fatal(err)
	}
	next, err := openRoom(base)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of the dead is there: %v", err)
	}
	if got := files(t, lives.dir); got != 1 {
		t.Error("the folder of the living was cleaned")
	}
	if err := errors.Join(lives.close(), next.close()); err != nil || files(t, base) != 0 {
		t.Errorf("%d files stay, %v", files(t, base), err)
	}
}

type idle struct{}

func (idle) Prepare(context.Context, query.Statement) (query.Prepared, error) { return idle{}, nil }
func (idle) Reads() query.Names                                               { return query.Names{} }

func (idle) Run(context.Context, query.Catalog) (*query.Result, error) { return &query.Result{}, nil }
func (idle) Close() error                                              { return nil }

func TestFetchingIsBounded(t *testing.T) {
	t.Parallel()
	p, err := fetching{Engine: idle{}}.Prepare(t.Context(), query.Statement{})
	if err != nil {
		t.Fatal(err)
	}
	big := query.Table{Files: []query.File{{URL: "a", Bytes: fetchBytes}, {URL: "b", Bytes: 1}}}
	if _, err := p.Run(t.Context(), query.Catalog{Tables: []query.Table{big}}); !errors.Is(err, query.ErrLimit) {
		t.Errorf("got %v, want the limit", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
