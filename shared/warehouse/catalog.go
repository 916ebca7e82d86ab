package warehouse

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	_ "modernc.org/sqlite"             // driver sqlite, without cgo

	"medlake/shared/lake"
)

// catalogName is how engines know this catalog: Trino's jdbc-catalog.catalog-name must be the same.
const catalogName = "lake"

// opened is an open catalog.
type opened struct {
	catalog.Catalog
	db      *sql.DB
	dollar  bool            // placeholders are $1, $2, …
	commits table.CatalogIO // what transactions commit through: opened itself, but in tests

	mu    sync.Mutex
	heads map[string]*table.Table // last known state by name
}

// openCatalog opens a catalog by URL. Its tables are those of Iceberg's JDBC catalog, version 1.
func openCatalog(catalogURL string) (*opened, error) {
	u, err := url.Parse(catalogURL)
	if err != nil {
		return nil, fmt.Errorf("catalog URL cannot be read: %w", lake.ErrInvalid) // the cause may hold a password
	}
	c := &opened{heads: map[string]*table.Table{}}
	c.commits = c
	var dialect sqlcat.SupportedDialect
	switch u.Scheme {
	case "sqlite":
		dialect = sqlcat.SQLite
		c.db, err = openSQLite(filepath.Join(u.Host, u.Path))
	case "postgres", "postgresql":
		dialect = sqlcat.Postgres
		c.dollar = true
		c.db, err = sql.Open("pgx", catalogURL)
	default:
		return nil, fmt.Errorf("catalog %s: is not known; use sqlite:///path or postgres://host/database: %w", u.Scheme, lake.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	if c.Catalog, err = sqlcat.NewCatalog(catalogName, c.db, dialect, iceberg.Properties{sqlcat.SchemaVersionKey: sqlcat.SchemaVersionV1}); err != nil {
		return nil, errors.Join(fmt.Errorf("open catalog: %w", err), c.db.Close())
	}
	return c, nil
}

func (c *opened) close() error { return c.db.Close() }

// sql spells a statement's placeholders as the database wants them.
func (c *opened) sql(statement string) string {
	if !c.dollar {
		return statement
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(statement, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// openSQLite opens a file that several processes may use at once. A commit is on disk when it returns.
func openSQLite(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite would make it readable for everybody
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path}
	return sql.Open("sqlite", u.String()+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
}
