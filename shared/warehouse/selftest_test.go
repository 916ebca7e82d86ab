package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/iceberg-go/table"

	"medlake/shared/store"
)

// careless is a catalog where the last writer wins.
type careless struct{ *opened }

func (c *careless) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	t, err := c.opened.Catalog.LoadTable(ctx, ident)
	if err != nil {
		return nil, err
	}
	return table.New(t.Identifier(), t.Metadata(), t.MetadataLocation(), t.FS, &blind{c.opened, t}), nil
}

// blind commits upon the state it was loaded with, whatever the catalog's is by now.
type blind struct {
	*opened
	base *table.Table
}

func (b *blind) CommitTable(ctx context.Context, ident table.Identifier, _ []table.Requirement, ups []table.Update) (table.Metadata, string, error) {
	m, err := table.UpdateTableMetadata(b.base.Metadata(), ups, b.base.MetadataLocation())
	if err != nil {
		return nil, "", err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, "", err
	}
	at := fmt.Sprintf("%s/metadata/00009-%d.metadata.json", m.Location(), m.CurrentSnapshot().SnapshotID)
	s := &session{files: ctx.Value(filesKey{}).(*files), ctx: ctx}
	if err := s.WriteFile(at, data); err != nil {
		return nil, "", err
	}
	_, err = b.db.ExecContext(ctx, "UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?", at, ident[1])
	return m, at, err
}

func TestSelfTestFindsACatalogThatDoesNotCompare(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	if err := w.SelfTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	for o, err := range b.List(t.Context(), store.TablePrefix("ops.")) {
		t.Errorf("the self-test left %s, %v", o.Key, err)
	}
	inner := *w.cat
	w.cat.Catalog = &careless{&inner}
	if err := w.SelfTest(t.Context()); err == nil || !strings.Contains(err.Error(), "does not compare and swap") {
		t.Errorf("got %v", err)
	}
}

func TestCatalogURLs(t *testing.T) {
	t.Parallel()
	b, err := store.Open(t.Context(), store.FileURL(filepath.Join(t.TempDir(), "lake")))
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"", "mysql://host/db", "postgres://user:geheim@host:bad/db", "sqlite:///dev/null/x.db"} {
		w, err := Open(t.Context(), url, b)
		if err == nil {
			t.Errorf("%s opens", url)
			_ = w.Close()
		} else if strings.Contains(err.Error(), "geheim") {
			t.Error("the error tells the password")
		}
	}
}
