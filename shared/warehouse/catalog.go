package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

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
	db    *sql.DB
	where string // query for a table's metadata location
}

// openCatalog opens a catalog by URL. Its tables are those of Iceberg's JDBC catalog, version 1.
func openCatalog(catalogURL string) (*opened, error) {
	u, err := url.Parse(catalogURL)
	if err != nil {
		return nil, fmt.Errorf("catalog URL cannot be read: %w", lake.ErrInvalid) // the cause may hold a password
	}
	o := &opened{where: "SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?"}
	var dialect sqlcat.SupportedDialect
	switch u.Scheme {
	case "sqlite":
		dialect = sqlcat.SQLite
		o.db, err = openSQLite(filepath.Join(u.Host, u.Path))
	case "postgres", "postgresql":
		dialect = sqlcat.Postgres
		o.where = "SELECT metadata_location FROM iceberg_tables WHERE catalog_name = $1 AND table_namespace = $2 AND table_name = $3"
		o.db, err = sql.Open("pgx", catalogURL)
	default:
		return nil, fmt.Errorf("catalog %s: is not known; use sqlite:///path or postgres://host/database: %w", u.Scheme, lake.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	if o.Catalog, err = sqlcat.NewCatalog(catalogName, o.db, dialect, iceberg.Properties{sqlcat.SchemaVersionKey: sqlcat.SchemaVersionV1}); err != nil {
		return nil, errors.Join(fmt.Errorf("open catalog: %w", err), o.db.Close())
	}
	return o, nil
}

// location is where a table's newest metadata lies: one small query, where loading reads and parses all of it. Metadata is
// never written twice under one name.
func (o *opened) location(ctx context.Context, ident table.Identifier) (string, error) {
	var at sql.NullString
	err := o.db.QueryRowContext(ctx, o.where, catalogName, ident[0], ident[1]).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return "", catalog.ErrNoSuchTable
	}
	return at.String, err
}

func (o *opened) close() error { return o.db.Close() }

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
