package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"medlake/local/demo"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// trinoChecks: Trino reads what our programs write.
var trinoChecks = []check{
	{name: "trino: reads every table, as infra/trino sets it up", needs: []string{"minio", "postgres", "trino"}, run: readByTrino},
}

// readByTrino loads the samples of the demo over S3 and PostgreSQL and lets Trino read every table: after merges, and again,
// without a restart, after compaction and a merge since. It must see what DuckDB sees, to the last value.
func readByTrino(ctx context.Context, c *cloud) error {
	l, err := c.sampleLake(ctx)
	if err != nil {
		return err
	}
	parcels, err := demo.Parcels()
	if err != nil {
		return err
	}
	last := len(parcels) - 1 // it changes visits
	for _, p := range parcels[:last] {
		if err := l.load(ctx, p); err != nil {
			return err
		}
	}
	t, err := c.startTrino(ctx, l.dir, l.bucket, l.catalog)
	if err != nil {
		return err
	}
	if err := l.compare(ctx, t, "merged"); err != nil {
		return err
	}
	if _, err := c.medlake(ctx, l.env, "maintain", "--data", l.dir); err != nil {
		return err
	}
	if err := l.load(ctx, parcels[last]); err != nil {
		return err
	}
	return l.compare(ctx, t, "compacted, and merged again")
}

// sampleLake is a lake of the demo's customers by the metadata of this repository.
type sampleLake struct {
	*cloud
	dir, bucket, catalog string
	env                  []string
}

func (c *cloud) sampleLake(ctx context.Context) (l sampleLake, err error) {
	l = sampleLake{cloud: c, dir: filepath.Join(c.dir, c.name())}
	if l.bucket, err = c.bucket(ctx, "minio"); err != nil {
		return l, err
	}
	if l.catalog, err = c.database(ctx); err != nil {
		return l, err
	}
	l.env = []string{"MEDLAKE_BUCKET=" + l.bucket, "MEDLAKE_CATALOG=" + l.catalog}
	secrets := filepath.Join(l.dir, "secrets/zip")
	err = os.MkdirAll(secrets, 0o700)
	for customer, password := range demo.Customers() {
		err = errors.Join(err, os.WriteFile(filepath.Join(secrets, customer), []byte(password+"\n"), 0o600))
	}
	return l, err
}

func (l sampleLake) load(ctx context.Context, p demo.Parcel) error {
	file := filepath.Join(l.dir, "upload.zip")
	if err := os.WriteFile(file, p.Data, 0o600); err != nil {
		return err
	}
	out, err := l.medlake(ctx, l.env, "load", "--data", l.dir, "--customer", p.Customer, "--as", p.Path, file)
	if cut := strings.Contains(out, "quarantined  truncated"); err != nil && !cut { // one of them was cut on the way
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// compare has Trino and medlake sql tell figures of all columns of all tables.
func (l sampleLake) compare(ctx context.Context, t *trino, when string) error {
	names, err := l.tables(ctx)
	if err != nil {
		return err
	}
	columns, err := t.columns(ctx)
	if err != nil {
		return err
	}
	var ours, asked []string
	figures := 0
	for _, table := range names {
		if len(columns[table]) == 0 {
			return fmt.Errorf("table %s is not there for Trino", table)
		}
		duck, theirs := []string{"count(*)"}, []string{"count(*)"}
		for _, column := range columns[table] {
			d, t, err := figuresOf(column)
			if err != nil {
				return err
			}
			duck, theirs = append(duck, "count("+column.name+")", d), append(theirs, "count("+column.name+")", t)
		}
		line := func(figures []string) string {
			return "SELECT concat_ws(' ', coalesce(CAST(" + strings.Join(figures, " AS VARCHAR), '-'), coalesce(CAST(") +
				` AS VARCHAR), '-')) AS figures FROM "` + strings.Replace(table, ".", `"."`, 1) + `"`
		}
		out, err := l.medlake(ctx, l.env, "sql", "--data", l.dir, "--as", "csv", line(duck))
		if err != nil {
			return err
		}
		ours = append(ours, strings.TrimPrefix(strings.TrimSpace(out), "figures\n"))
		asked = append(asked, line(theirs))
		figures += len(duck)
	}
	answers, err := t.ask(ctx, asked...)
	if err != nil {
		return err
	}
	if len(answers) != len(asked) {
		return fmt.Errorf("%d of %d statements have an answer from Trino", len(answers), len(asked))
	}
	var wrong []error
	for i, table := range names {
		if answers[i] != ours[i] {
			wrong = append(wrong, fmt.Errorf("%s: table %s: Trino says %s, we %s", when, table, answers[i], ours[i]))
		}
	}
	l.say("     %s: %d tables, %d figures", when, len(names), figures)
	return errors.Join(wrong...)
}

func (l sampleLake) tables(ctx context.Context) (names []string, err error) {
	b, err := store.Open(ctx, l.bucket)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	w, err := warehouse.Open(ctx, l.catalog, b)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return w.Tables(ctx)
}

// trinoColumn is a column as Trino sees it.
type trinoColumn struct{ name, kind string }

// columns are those of all tables, by table.
func (t *trino) columns(ctx context.Context) (map[string][]trinoColumn, error) {
	lines, err := t.ask(ctx, "SELECT table_schema || '.' || table_name || ' ' || column_name || ' ' || data_type "+
		"FROM information_schema.columns WHERE table_schema <> 'information_schema' ORDER BY table_schema, table_name, ordinal_position")
	if err != nil {
		return nil, err
	}
	columns := map[string][]trinoColumn{}
	for _, line := range lines {
		cells := strings.SplitN(line, " ", 3)
		if len(cells) < 3 {
			return nil, fmt.Errorf("a column is %q by Trino", line)
		}
		kind, _, _ := strings.Cut(cells[2], "(")
		columns[cells[0]] = append(columns[cells[0]], trinoColumn{`"` + cells[1] + `"`, kind})
	}
	return columns, nil
}

// figuresOf is a sum of a column's values in the SQL of DuckDB and of Trino; of texts, of a part of their digests.
func figuresOf(c trinoColumn) (duck, trino string, err error) {
	same := ""
	switch c.kind {
	case "varchar":
		return "sum(CAST('0x' || substr(md5(" + c.name + "), 1, 10) AS BIGINT))",
			"sum(from_base(substr(to_hex(md5(to_utf8(" + c.name + "))), 1, 10), 16))", nil
	case "timestamp":
		return "sum(CAST(epoch_us(" + c.name + ") AS HUGEINT))",
			"sum(CAST(to_unixtime(" + c.name + ") * 1e6 AS DECIMAL(38, 0)))", nil
	case "integer", "bigint", "decimal":
		same = "sum(" + c.name + ")"
	case "double":
		same = "CAST(sum(" + c.name + ") AS DECIMAL(38, 4))"
	case "boolean":
		same = "sum(CAST(" + c.name + " AS INTEGER))"
	case "date":
		same = "sum(date_diff('day', DATE '1970-01-01', " + c.name + "))"
	default:
		return "", "", fmt.Errorf("there is no sum for type %s", c.kind)
	}
	return same, same, nil
}
