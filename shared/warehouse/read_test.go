package warehouse

import (
	"bytes"
	"maps"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
)

// everything is a table with every type, optional and required.
func everything(t *testing.T) lake.Schema {
	s := lake.Schema{Table: "lake.everything", Columns: lake.SystemColumns()}
	for _, name := range []string{"string", "long", "double", "decimal(9,2)", "decimal(18,4)", "date", "timestamp", "boolean"} {
		s.Columns = append(s.Columns,
			lake.Column{Name: name, Type: typ(t, name), Bounds: true},
			lake.Column{Name: name + "!", Type: typ(t, name), Required: true, Bounds: true})
	}
	return s
}

// fill makes rows with nulls, zeros and values that a bound must cut.
func fill(s lake.Schema, rows int) *column.Batch {
	b := column.New(s.Columns)
	b.Rows = rows
	for i, c := range s.Columns {
		to := &b.Columns[i]
		for row := range rows {
			switch n := int64(row%7 - 3); {
			case !c.Required && row%5 == 0:
				to.AppendNull()
			case c.Type.Kind == lake.String && n == 0:
				to.AppendText(nil)
			case c.Type.Kind == lake.String:
				to.AppendText([]byte(string([]rune("Grüße an alle, die dies lesen ")[row%20:])))
			case c.Type.Kind == lake.Double:
				to.AppendFloat(float64(n) / 4)
			case c.Type.Kind == lake.Boolean:
				to.AppendBool(n > 0)
			default:
				to.AppendInt(n * 100)
			}
		}
	}
	return b
}

// write encodes a batch and stores it as a file of the table.
func write(t *testing.T, b *store.Bucket, s lake.Schema, name string, batches ...*column.Batch) ([]byte, lake.DataFile) {
	t.Helper()
	e, err := datafile.NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	e.Begin(&buf)
	for _, batch := range batches {
		if err := e.Append(batch); err != nil {
			t.Fatal(err)
		}
	}
	f, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	key := store.TablePrefix(s.Table) + "data/" + name
	if err := b.Put(t.Context(), key, buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	f.Path = b.URL(key)
	return buf.Bytes(), f
}

// What we say about a file in its manifest is what Iceberg's own library finds in it.
func TestDataFileIsWhatIcebergFinds(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, everything(t), 0)
	data, f := write(t, b, s, "a.parquet", fill(s, 100), fill(s, 33))
	tbl, err := w.load(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := dataFile(tbl, iceberg.EntryContentData, &f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := table.DataFileFromMetadata(table.DataFileArgs{
		Schema: tbl.Schema(), Spec: tbl.Spec(), Format: iceberg.ParquetFile, Metadata: r.MetaData(),
		FilePath: f.Path, FileSize: int64(len(data)), Content: iceberg.EntryContentData,
	})
	if err != nil {
		t.Fatal(err)
	}
	lower := ours.LowerBoundValues()
	maps.DeleteFunc(lower, func(_ int, v []byte) bool { return len(v) == 0 }) // a true bound, which iceberg-go leaves out
	for what, pair := range map[string][2]any{
		"rows":          {ours.Count(), theirs.Count()},
		"size":          {ours.FileSizeBytes(), theirs.FileSizeBytes()},
		"column sizes":  {ours.ColumnSizes(), theirs.ColumnSizes()},
		"values":        {ours.ValueCounts(), theirs.ValueCounts()},
		"nulls":         {ours.NullValueCounts(), theirs.NullValueCounts()},
		"split offsets": {ours.SplitOffsets(), theirs.SplitOffsets()},
		"lower bounds":  {lower, theirs.LowerBoundValues()},
		"upper bounds":  {ours.UpperBoundValues(), theirs.UpperBoundValues()},
	} {
		if diff := cmp.Diff(pair[1], pair[0], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-theirs +ours):\n%s", what, diff)
		}
	}
}

func TestIcebergReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, everything(t), 0)
	batch := fill(s, 100)
	_, f := write(t, b, s, "a.parquet", batch)
	if err := w.Append(t.Context(), head(t, w, s.Table), []lake.DataFile{f}, 1); err != nil {
		t.Fatal(err)
	}
	tbl, err := w.load(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	_, records, err := tbl.Scan().ToArrowRecords(w.files.with(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	got := make([][]string, len(s.Columns))
	for rec, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range rec.Columns() {
			for row := range c.Len() {
				got[i] = append(got[i], c.ValueStr(row))
			}
			if typ := c.DataType(); s.Columns[i].Type.Kind == lake.Timestamp && typ.(*arrow.TimestampType).TimeZone != "UTC" {
				t.Errorf("%s is read as %s", s.Columns[i].Name, typ)
			}
		}
		rec.Release()
	}
	if diff := cmp.Diff(spell(batch), got); diff != "" {
		t.Errorf("(-batch +table):\n%s", diff)
	}
}

// spell writes a batch's values as Arrow does.
func spell(b *column.Batch) [][]string {
	out := make([][]string, len(b.Columns))
	for i := range b.Columns {
		c, k := &b.Columns[i], 0
		for _, ok := range c.Valid {
			if ok == 0 {
				out[i] = append(out[i], "(null)")
				continue
			}
			var v string
			switch c.Type.Kind {
			case lake.String:
				v = string(c.Text(k))
			case lake.Double:
				v = strconv.FormatFloat(c.Floats[k], 'f', -1, 64)
			case lake.Boolean:
				v = strconv.FormatBool(c.Bools[k] != 0)
			case lake.Decimal:
				v = strconv.FormatFloat(float64(c.Ints[k])/math.Pow10(c.Type.Scale), 'f', -1, 64)
			case lake.Date:
				v = time.Unix(c.Ints[k]*86400, 0).UTC().Format(time.DateOnly)
			case lake.Timestamp:
				v = time.UnixMicro(c.Ints[k]).UTC().Format(time.RFC3339Nano)
			default:
				v = strconv.FormatInt(c.Ints[k], 10)
			}
			out[i] = append(out[i], v)
			k++
		}
	}
	return out
}

// Rows deleted by position are in the plan as delete files beside the data files they touch.
func TestPlanNamesDeletes(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 0)
	files := []lake.DataFile{newFile(t, b, s, "acme", "one", 3), newFile(t, b, s, "bolt", "two", 1)}
	if err := w.Append(t.Context(), head(t, w, s.Table), files, 1); err != nil {
		t.Fatal(err)
	}
	tbl, err := w.load(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tbl.Delete(w.files.with(t.Context()), iceberg.EqualTo(iceberg.Reference("visit_id"), "V2"), nil); err != nil {
		t.Fatal(err)
	}
	p := plan(t.Context(), t, w, s.Table, "")
	touched := map[string]bool{}
	for _, f := range p.Files {
		touched[f.Customer] = f.Deletes
	}
	if diff := cmp.Diff(map[string]bool{"acme": true, "bolt": false}, touched); diff != "" || len(p.Deletes) != 1 {
		t.Errorf("%d delete files, files touched (-want +got):\n%s", len(p.Deletes), diff)
	}
	if p := plan(t.Context(), t, w, s.Table, "bolt"); len(p.Deletes) != 0 {
		t.Errorf("the plan of another customer has deletes %v", p.Deletes)
	}
}
