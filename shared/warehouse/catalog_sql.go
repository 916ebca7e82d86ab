package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // driver sqlite, without cgo

	"medlake/shared/lake"
)

// Bounds of a PostgreSQL catalog. A process needs few connections: a statement takes a millisecond.
const (
	poolSize      = 8 // connections a process; pool_max_conns of the URL changes it
	poolIdle      = 5 * time.Minute
	poolAge       = 30 * time.Minute // so that connections move to a new server behind the same name
	connectTime   = 5 * time.Second  // connect_timeout of the URL changes it
	statementTime = 30 * time.Second // statement_timeout of the URL changes it
	answerTime    = statementTime + 5*time.Second
)

// database is a catalog in tables of Iceberg's JDBC catalog, version 1.
type database struct {
	db     *sql.DB
	dollar bool      // placeholders are $1, $2, …
	find   *sql.Stmt // findTable, compiled; nil for PostgreSQL, whose client keeps what it has sent
}

const findTable = `SELECT metadata_location FROM iceberg_tables
	WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)`

// overSQL makes the catalog one in a database.
func (c *opened) overSQL(db *sql.DB, dialect sqlcat.SupportedDialect) (err error) {
	d := &database{db: db, dollar: dialect == sqlcat.Postgres}
	c.pointers, c.release = d, db.Close
	c.Catalog, err = sqlcat.NewCatalog(catalogName, db, dialect, iceberg.Properties{sqlcat.SchemaVersionKey: sqlcat.SchemaVersionV1})
	if err == nil && dialect == sqlcat.SQLite {
		d.find, err = db.PrepareContext(context.Background(), findTable)
	}
	return err
}

// openSQLite opens a file that several processes may use at once. A commit is on disk when it returns.
func (c *opened) openSQLite(u *url.URL) error {
	path, err := filepath.Abs(filepath.Join(u.Host, u.Path))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite would make it readable for everybody
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	file := url.URL{Scheme: "file", OmitHost: true, Path: path}
	db, err := sql.Open("sqlite", file.String()+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(poolSize) // or a round of several tables opens most of its connections anew
	return c.overSQL(db, sqlcat.SQLite)
}

// openPostgres takes what the URL does not say from the environment, as every client of PostgreSQL does.
func (c *opened) openPostgres(raw string) error {
	config, err := pgx.ParseConfig(raw)
	if err != nil {
		return fmt.Errorf("the URL of the PostgreSQL database cannot be read: %w", lake.ErrInvalid)
	}
	size := poolSize
	if n, ok := config.RuntimeParams["pool_max_conns"]; ok {
		delete(config.RuntimeParams, "pool_max_conns")
		if size, err = strconv.Atoi(n); err != nil || size < 1 {
			return fmt.Errorf("pool_max_conns is not a number of connections: %w", lake.ErrInvalid)
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	if config.RuntimeParams["statement_timeout"] == "" {
		config.RuntimeParams["statement_timeout"] = strconv.FormatInt(statementTime.Milliseconds(), 10)
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(poolIdle)
	db.SetConnMaxLifetime(poolAge)
	return c.overSQL(db, sqlcat.Postgres)
}

// spell writes a statement's placeholders as the database wants them.
func (d *database) spell(statement string) string {
	if !d.dollar {
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

func (d *database) location(ctx context.Context, ident table.Identifier) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime) // a server that is gone without a word answers nothing
	defer cancel()
	var row *sql.Row
	if d.find != nil {
		row = d.find.QueryRowContext(ctx, catalogName, ident[0], ident[1])
	} else {
		row = d.db.QueryRowContext(ctx, d.spell(findTable), catalogName, ident[0], ident[1])
	}
	var at sql.NullString
	err := row.Scan(&at)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !at.Valid {
		return "", catalog.ErrNoSuchTable
	}
	return at.String, err
}

func (d *database) swap(ctx context.Context, ident table.Identifier, from, to string) (bool, error) {
	n, err := d.exec(ctx, `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
		WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`,
		to, from, catalogName, ident[0], ident[1], from)
	return n == 1, err
}

func (d *database) register(ctx context.Context, ident table.Identifier, at string) error {
	_, err := d.exec(ctx, `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, iceberg_type, metadata_location)
		VALUES (?, ?, ?, 'TABLE', ?) ON CONFLICT DO NOTHING`, catalogName, ident[0], ident[1], at)
	return err
}

// exec runs a statement and counts the rows it changed.
func (d *database) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	done, err := d.db.ExecContext(ctx, d.spell(statement), args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
