package warehouse

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// catalogName is how engines know this catalog: Trino's jdbc-catalog.catalog-name must be the same.
const catalogName = "lake"

// opened is an open catalog.
type opened struct {
	catalog.Catalog
	pointers pointers // nil: commits are the library's
	place
	release func() error
	commits table.CatalogIO // what transactions commit through: opened itself, but in tests

	nature
	turn  sync.Mutex // of commits, where there may be one committer only
	mu    sync.Mutex
	heads map[string]*table.Table // last known state by name
}

// pointers are a catalog's names of the tables' newest metadata files, where they can be read and swapped without the
// library (see heads.go).
type pointers interface {
	// location is where a table's newest metadata lies. A table that is not there is catalog.ErrNoSuchTable.
	location(ctx context.Context, ident table.Identifier) (string, error)
	// swap makes to the newest metadata if from still is it, and reports whether it was.
	swap(ctx context.Context, ident table.Identifier, from, to string) (bool, error)
	// register names the metadata of a table that is not there. A table that is stays as it is.
	register(ctx context.Context, ident table.Identifier, at string) error
}

// place is what a catalog's URL says of the lake's place in it.
type place struct {
	prefix string // what the names of its namespaces begin with
	single bool   // nobody else commits, so commits need not compare and swap
}

// openCatalog opens a catalog by URL (see Open). No error of it holds the URL, which may hold a password.
func openCatalog(ctx context.Context, catalogURL string) (*opened, error) {
	u, err := url.Parse(catalogURL)
	if err != nil {
		return nil, fmt.Errorf("catalog URL cannot be read: %w", lake.ErrInvalid)
	}
	c := newCatalog()
	switch u.Scheme {
	case "sqlite":
		err = c.openSQLite(u)
	case "postgres", "postgresql":
		err = c.openPostgres(catalogURL)
	case "glue":
		err = c.openGlue(ctx, u)
	case "http", "https":
		err = c.openREST(ctx, u)
	default:
		err = fmt.Errorf("%q is not known; use sqlite:///path, postgres://host/database, glue://?region=… or https://host/path: %w", u.Scheme, lake.ErrInvalid)
	}
	if err != nil {
		err = fmt.Errorf("open catalog: %w", err)
		if c.release != nil {
			err = errors.Join(err, c.release())
		}
		return nil, err
	}
	return c, nil
}

func newCatalog() *opened {
	c := &opened{nature: nature{random: rand.Reader}, heads: map[string]*table.Table{}}
	c.commits = c
	return c
}

func (c *opened) close() error { return c.release() }

// options takes a URL's parameters apart: those of every catalog, and the others, which must be among known.
func (p *place) options(u *url.URL, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the parameters of its URL cannot be read: %w", lake.ErrInvalid)
	}
	p.prefix = q.Get("prefix")
	if n := q.Get("committers"); n != "" && n != "1" {
		return nil, fmt.Errorf("committers is 1 or left out: %w", lake.ErrInvalid)
	}
	p.single = q.Get("committers") != ""
	q.Del("prefix")
	q.Del("committers")
	for name := range q {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("its URL has an unknown parameter; it may have prefix, committers, %s: %w", strings.Join(known, ", "), lake.ErrInvalid)
		}
	}
	return q, nil
}

// namespace is one of the lake's as the catalog names it.
func (p *place) namespace(name string) table.Identifier { return table.Identifier{p.prefix + name} }

// identifier is a table of the lake, namespace.table, as the catalog names it.
func (p *place) identifier(name string) (table.Identifier, error) {
	ns, rest, ok := strings.Cut(name, ".")
	if !ok || ns == "" || rest == "" || strings.ContainsAny(rest, "./") {
		return nil, fmt.Errorf("table %q is not namespace.table: %w", name, lake.ErrInvalid)
	}
	return append(p.namespace(ns), rest), nil
}

// register puts a table that is not there into the catalog, with its metadata at a URL.
func (c *opened) register(ctx context.Context, name, at string) error {
	ident, err := c.identifier(name)
	if err == nil {
		err = c.enter(ctx, ident, at)
	}
	if err != nil {
		return fmt.Errorf("register table %s: %w", name, err)
	}
	return nil
}

func (c *opened) enter(ctx context.Context, ident table.Identifier, at string) error {
	var err error
	if c.pointers != nil {
		err = c.pointers.register(ctx, ident, at)
	} else if r, ok := c.Catalog.(interface {
		RegisterTable(context.Context, table.Identifier, string) (*table.Table, error)
	}); ok {
		_, err = r.RegisterTable(ctx, ident, at)
	} else {
		err = errors.New("the catalog takes no tables that are there already")
	}
	t, again := c.LoadTable(ctx, ident)
	switch {
	case again != nil:
		return errors.Join(err, again)
	case t.MetadataLocation() != at:
		return lake.ErrConflict
	}
	return nil // whatever the answer was
}
