package warehouse

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/iceberg-go/table"

	"medlake/shared/store"
)

// db is the database of a catalog that has one.
func db(c *opened) *sql.DB {
	d, _ := c.pointers.(*database)
	return d.db
}

// careless is a catalog where the last writer wins: it commits upon the state that the writer saw, whatever is there now.
type careless struct {
	*opened
	mu   sync.Mutex
	seen []*table.Table
}

func (c *careless) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, ups []table.Update) (table.Metadata, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, err := c.LoadTable(ctx, ident)
	if err != nil {
		return nil, "", err
	}
	c.seen = append(c.seen, now)
	base := c.seen[slices.IndexFunc(c.seen, func(t *table.Table) bool {
		return !slices.ContainsFunc(reqs, func(r table.Requirement) bool { return r.Validate(t.Metadata()) != nil })
	})]
	m, err := table.UpdateTableMetadata(base.Metadata(), ups, base.MetadataLocation())
	if err != nil {
		return nil, "", err
	}
	at, err := c.writeMetadata(ctx, base, m)
	if err != nil {
		return nil, "", err
	}
	_, err = db(c.opened).ExecContext(ctx, "UPDATE iceberg_tables SET metadata_location = $1 WHERE table_name = $2", at, ident[1])
	return m, at, err
}

func TestSelfTestFindsACatalogThatDoesNotCompare(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	if err := w.SelfTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	for o, err := range b.List(t.Context(), store.TablePrefix("ops")) {
		t.Errorf("the self-test left %s, %v", o.Key, err)
	}
	if w.cat.pointers == nil || w.cat.single {
		return // another kind of catalog cannot be made careless
	}
	w.cat.commits = &careless{opened: w.cat}
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
	for _, url := range []string{"", "mysql://host/db", "postgres://user:geheim@host:bad/db", "sqlite:///dev/null/x.db", "glue://?regoin=x", "https://id:geheim@host:bad/", "http://id:geheim@127.0.0.1:1/?committers=2", "http://id:geheim@127.0.0.1:1/", "http://geheim@127.0.0.1:1/"} {
		w, err := Open(t.Context(), url, b)
		if err == nil {
			t.Errorf("%s opens", url)
			_ = w.Close()
		} else if strings.Contains(err.Error(), "geheim") {
			t.Error("the error tells the password")
		}
	}
}
