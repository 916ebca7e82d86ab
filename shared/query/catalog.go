package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// Namespace is where a table name without a namespace is looked for.
const Namespace = "lake"

// Catalog is everything one statement may see.
type Catalog struct {
	Customer string    `json:"customer,omitempty"` // rows of this customer only
	At       time.Time `json:"at,omitzero"`        // rows with _arrived_at up to this moment only
	Tables   []Table   `json:"tables"`
	Views    []View    `json:"views,omitempty"`
	// Local is where this machine has files of a bucket elsewhere, by URL, for engines that read nothing else.
	Local map[string]string `json:"local,omitempty"`
}

// Table is one stored table at one snapshot. Without files it is an empty table.
type Table struct {
	Schema   lake.Schema `json:"schema"` // with field ids
	Files    []File      `json:"files,omitempty"`
	Deletes  []string    `json:"deletes,omitempty"` // URLs of position delete files that concern Files
	Snapshot int64       `json:"snapshot,omitempty"`
	Batch    int64       `json:"batch,omitempty"`
}

// File is one data file.
type File struct {
	URL      string `json:"url"`
	Customer string `json:"customer,omitempty"` // the partition's customer
	Rows     int64  `json:"rows,omitempty"`
	Bytes    int64  `json:"bytes,omitempty"`
}

// View is a table defined by SQL over the catalog's tables.
type View struct {
	Name string `json:"name"` // namespace.name
	SQL  string `json:"sql"`
}

// Shared reports whether a file of the table may hold rows of several customers.
func (t *Table) Shared() bool { return !slices.Contains(t.Schema.Partition, lake.ColCustomer) }

// Has reports whether the table has a column of this name.
func (t *Table) Has(column string) bool {
	return slices.ContainsFunc(t.Schema.Columns, func(c lake.Column) bool { return c.Name == column })
}

// catalog plans the tables that the names need. A name that is no table is left out: the engine says so, because only it
// knows which names are the statement's own.
func (r *Reader) catalog(ctx context.Context, n Names, q Request) (Catalog, error) {
	c := Catalog{Customer: q.Customer, At: q.At}
	all, err := r.stored(ctx)
	if err != nil {
		return c, err
	}
	p := &plans{reader: r, all: all, customer: q.Customer, made: map[string]Table{}}
	need := map[string]bool{}
	for name := range all {
		need[name] = n.has(name)
	}
	for name, d := range all {
		if d.meta == nil || d.meta.Change == nil {
			continue
		}
		views, err := p.views(ctx, d.meta, n, q.At)
		if err != nil {
			return c, err
		}
		for _, v := range views {
			need[name], need[v.Name] = true, false
		}
		c.Views = append(c.Views, views...)
	}
	slices.SortFunc(c.Views, func(a, b View) int { return strings.Compare(a.Name, b.Name) }) // the same statement makes the same catalog
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !need[name] {
			continue
		}
		t, err := p.table(ctx, name)
		if err != nil {
			return c, err
		}
		if q.Customer != "" && !t.Has(lake.ColCustomer) {
			continue // nothing in it is known to be the customer's
		}
		c.Tables = append(c.Tables, t)
	}
	return c, nil
}

// has reports whether a table is wanted.
func (n Names) has(name string) bool {
	return n.All || slices.Contains(n.Tables, strings.ToLower(name))
}

// declared is what is known of a table without planning it.
type declared struct {
	schema lake.Schema     // zero for a table that only the catalog knows
	meta   *metadata.Table // nil for ledgers and for tables that only the catalog knows
}

// stored returns every table under the name it is stored by. A table that changes is stored as its log; once it is merged
// it is stored under its own name too, and read as it stands.
func (r *Reader) stored(ctx context.Context) (map[string]declared, error) {
	names, err := r.Source.Tables(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	all := map[string]declared{
		lake.OpsLoads:   {schema: lake.LoadsSchema()},
		lake.OpsRejects: {schema: lake.RejectsSchema()},
	}
	for _, name := range names {
		if _, ok := all[name]; !ok {
			all[name] = declared{}
		}
	}
	if r.Set != nil {
		for _, t := range r.Set.Tables {
			all[t.Target()] = declared{schema: t.Schema(), meta: t}
		}
	}
	return all, nil
}

// plans makes each plan of one statement once.
type plans struct {
	reader   *Reader
	all      map[string]declared
	customer string
	made     map[string]Table
}

// views makes the wanted views over the log of a changing table. The table itself is read as it stands once merge has
// filled it; but what it held at an earlier moment only the log knows.
func (p *plans) views(ctx context.Context, t *metadata.Table, n Names, at time.Time) ([]View, error) {
	var out []View
	add := func(v View, err error) error {
		out = append(out, v)
		return err
	}
	if n.has(t.ID()) {
		filled := false
		if _, stored := p.all[t.ID()]; stored && at.IsZero() {
			now, err := p.table(ctx, t.ID())
			if err != nil {
				return nil, err
			}
			filled = now.Batch > 0
		}
		if !filled {
			if err := add(current(t)); err != nil {
				return nil, err
			}
		}
	}
	if n.has(historyOf(t)) {
		if err := add(history(t)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// table plans a stored table, or makes an empty one of what is declared.
func (p *plans) table(ctx context.Context, name string) (Table, error) {
	if t, ok := p.made[name]; ok {
		return t, nil
	}
	t, err := p.reader.Source.Table(ctx, name, p.customer)
	if declared := p.all[name].schema; errors.Is(err, lake.ErrNotFound) && declared.Table != "" {
		t, err = Table{Schema: declared}, nil
	}
	if err != nil {
		return t, fmt.Errorf("plan %s: %w", name, err)
	}
	if p.customer != "" && !t.Shared() {
		for _, f := range t.Files {
			if f.Customer != p.customer {
				return t, fmt.Errorf("plan %s for one customer: a file of another customer is in the plan: %w", name, lake.ErrDenied)
			}
		}
	}
	p.made[name] = t
	return t, nil
}
