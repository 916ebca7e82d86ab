// Package warehouse keeps the lake's Iceberg tables: it creates and evolves them, publishes the schemas ingest writes by,
// changes them exactly once, and plans what a query must read. It writes no data files but those that hide rows of loads,
// and runs no SQL.
//
// A table's number medlake.batch says up to which log entry its contents are. It moves only with a new snapshot and only
// from the one it was read with, so each entry is applied once however many committers there are.
package warehouse

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Warehouse is the tables of one catalog, whose files lie in one bucket. It is safe for concurrent use.
type Warehouse struct {
	cat   *opened
	files *files

	mu            sync.Mutex
	plans         map[planKey]Plan
	live          map[string]*contents // newest asked for, by table
	parsed        map[string][]entry   // manifests, by URL
	parsedEntries int
}

// The namespaces of the lake: data, ledgers, and tables derived for reports.
var namespaces = [...]string{"lake", "ops", "mart"}

// Open opens a catalog for tables in bucket b, and makes its namespaces. The first time it also proves that the catalog
// compares and swaps, and refuses to work if it does not. Its URL is one of
//
//	sqlite:///path/to/file.db
//	postgres://user@host/database?sslmode=verify-full          and what else PostgreSQL's clients know; pool_max_conns
//	glue://ACCOUNT?region=…                                    ACCOUNT may be empty
//	https://host/path?warehouse=…&scope=…&token_url=…          Iceberg REST; http too
//
// The last two also take prefix, with which the names of the namespaces begin, and committers=1: no other process commits,
// so that the catalog need not compare and swap. No error tells a password.
func Open(ctx context.Context, catalogURL string, b *store.Bucket) (*Warehouse, error) {
	cat, err := openCatalog(ctx, catalogURL)
	if err != nil {
		return nil, err
	}
	useBuckets()
	w := over(cat, b)
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, cat.close())
	}
	return w, nil
}

// Close lets go of the catalog's connections.
func (w *Warehouse) Close() error { return w.cat.close() }

// proved is the namespace property that says the catalog has passed SelfTest.
const proved = "medlake.compare-and-swap"

func (w *Warehouse) prepare(ctx context.Context) error {
	for _, ns := range namespaces {
		ident := w.cat.namespace(ns)
		ok, err := w.cat.CheckNamespaceExists(ctx, ident)
		if err != nil {
			return fmt.Errorf("read catalog: %w", err)
		}
		if ok {
			continue
		}
		if err := w.cat.CreateNamespace(ctx, ident, nil); err != nil {
			if ok, again := w.cat.CheckNamespaceExists(ctx, ident); again != nil || !ok { // else another process was first
				return fmt.Errorf("create namespace %s: %w", ns, err)
			}
		}
	}
	ops := w.cat.namespace("ops")
	props, err := w.cat.LoadNamespaceProperties(ctx, ops)
	if err != nil {
		return fmt.Errorf("read catalog: %w", err)
	}
	if had := props[proved]; had == "proved" || w.cat.single && had != "" {
		return nil
	}
	if err := w.SelfTest(ctx); err != nil {
		return err
	}
	result := "proved"
	if w.cat.single {
		result = "one committer"
	}
	if _, err := w.cat.UpdateNamespaceProperties(ctx, ops, nil, iceberg.Properties{proved: result}); err != nil {
		return fmt.Errorf("write catalog: %w", err)
	}
	return nil
}

// Tables lists the tables as namespace.table, by namespace.
func (w *Warehouse) Tables(ctx context.Context) ([]string, error) {
	var names []string
	for _, ns := range namespaces {
		for ident, err := range w.cat.ListTables(ctx, w.cat.namespace(ns)) {
			if err != nil {
				return nil, fmt.Errorf("list tables of %s: %w", ns, err)
			}
			if name := ns + "." + ident[len(ident)-1]; !strings.HasPrefix(name, selfTestPrefix) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// load reads a table's newest state.
func (w *Warehouse) load(ctx context.Context, name string) (*table.Table, error) {
	ident, err := w.cat.identifier(name)
	if err != nil {
		return nil, err
	}
	t, err := w.cat.LoadTable(w.files.with(ctx), ident)
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return nil, fmt.Errorf("table %s: %w", name, lake.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("load table %s: %w", name, err)
	}
	return t, nil
}

// propBatch is the table property, and the key in a snapshot's summary, of the last applied log entry.
const propBatch = "medlake.batch"

// propFold is the table property, and the key in a snapshot's summary, of the fold that the rows were made by.
const propFold = "medlake.fold"

func batchOf(t *table.Table) (int64, error) {
	s, ok := t.Properties()[propBatch]
	if !ok {
		return 0, fmt.Errorf("table %s has no %s: it was not made by Medlake", strings.Join(t.Identifier(), "."), propBatch)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("table %s: %s is not a number", strings.Join(t.Identifier(), "."), propBatch)
	}
	return n, nil
}
