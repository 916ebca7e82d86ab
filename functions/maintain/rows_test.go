package maintain_test

import (
	"strings"
	"testing"

	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// batch makes the rows of a load.
func batch(s lake.Schema, l *load) *column.Batch {
	b := column.New(s.Columns)
	for i, row := range l.rows {
		system := map[string]any{
			lake.ColCustomer: l.customer, lake.ColLoad: l.id, lake.ColEntry: 0, lake.ColRow: i + 1, lake.ColArrivedAt: int(l.at.UnixMicro()),
		}
		for i := range b.Columns {
			c := &b.Columns[i]
			v, ok := system[c.Name]
			if !ok {
				v = row[c.Name]
			}
			switch v := v.(type) {
			case string:
				c.AppendString(v)
			case int:
				c.AppendInt(int64(v))
			case float64:
				c.AppendFloat(v)
			case bool:
				c.AppendBool(v)
			default:
				c.AppendNull()
			}
		}
		b.EndRow()
	}
	return b
}

// commitTogether puts loads into one file, as a compaction does.
func (d *depot) commitTogether(t testing.TB, table string, loads ...*load) {
	t.Helper()
	s, err := warehouse.PublishedSchema(t.Context(), d.bucket, table)
	if err != nil {
		t.Fatal(err)
	}
	all := column.New(s.Columns)
	for _, l := range loads {
		d.write(t, table, l)
		datafiletest.Read(t, s, d.object(t.Context(), t, l.files[0].Path), all)
	}
	f, data := datafiletest.Encode(t, s, all)
	f.Path, f.Customer, f.Month = strings.Replace(loads[0].files[0].Path, ".parquet", "-all.parquet", 1), loads[0].customer, loads[0].files[0].Month
	key, err := d.bucket.Key(f.Path)
	if err == nil {
		err = d.bucket.Put(t.Context(), key, data)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.apply(t, table, warehouse.Change{Add: []lake.DataFile{f}, Batch: d.claim(t, table, loads...).N})
}
