package erase_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"medlake/functions/erase"
	"medlake/shared/archive"
	"medlake/shared/archive/lock"
	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

const (
	visits  = "lake.visits"
	patient = "P-4711-X"
)

// street stands nowhere as it is once it is packed.
var street = strings.Repeat("Maple ", 40) + "Street"

func bucket(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func put(t *testing.T, b *store.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

func zipped(t *testing.T, c lock.Cipher, password, name, text string) []byte {
	t.Helper()
	data, err := lock.Zip([]lock.File{{Name: name, Data: []byte(text)}}, lock.Options{Cipher: c, Password: password, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// find scans for the patient with the password of customer a.
func find(t *testing.T, b *store.Bucket, value string) erase.Findings {
	t.Helper()
	s := erase.Scan{Bucket: b, Limits: archive.Limits{Nested: 1}, Passwords: func(_ context.Context, upload string) ([]string, error) {
		if !strings.HasPrefix(upload, "a/") {
			return nil, lake.ErrNotFound
		}
		return []string{"now", "before"}, nil
	}}
	f, err := s.Find(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestScanFindsTheValueWhereverItStands(t *testing.T) {
	t.Parallel()
	text := "id,name\r\n1,x\r\n" + patient + ",y\r\n"
	var wide []byte
	for _, c := range []byte(text) {
		wide = append(wide, c, 0)
	}
	bound, err := json.Marshal(map[string]any{"lower": map[string][]byte{"7": []byte(patient)}})
	if err != nil {
		t.Fatal(err)
	}
	const holding, unread = 1, 2
	for name, c := range map[string]struct {
		key  string
		data []byte
		want int
	}{
		"a locked zip":                    {"landing/a/d/f.zip@1", zipped(t, lock.AES256, "now", "f.csv", text), holding},
		"locked with the password before": {"landing/a/d/f.zip@1", zipped(t, lock.ZipCrypto, "before", "f.csv", text), holding},
		"a zip inside":                    {"landing/a/d/f.zip@1", zipped(t, lock.AES256, "now", "f.zip", string(zipped(t, lock.AES256, "now", "f.csv", text))), holding},
		"UTF-16":                          {"landing/a/d/f.zip@1", zipped(t, lock.AES256, "now", "f.csv", string(wide)), holding},
		"a member's name":                 {"landing/a/d/f.zip@1", zipped(t, lock.None, "", patient+".csv", "text"), holding},
		"a locked zip without it":         {"landing/a/d/f.zip@1", zipped(t, lock.AES256, "now", "f.csv", "id\n1\n"), 0},
		"another password":                {"landing/a/d/f.zip@1", zipped(t, lock.AES256, "other", "f.csv", "id\n1\n"), unread},
		"a customer without passwords":    {"landing/b/d/f.zip@1", zipped(t, lock.AES256, "now", "f.csv", "id\n1\n"), unread},
		"an upload that is no archive":    {"landing/a/d/f.csv@1", []byte(text), holding},
		"an upload cut short":             {"landing/a/d/f.zip@1", zipped(t, lock.AES256, "now", "f.csv", text)[:60], unread},
		"a key":                           {"landing/a/d/" + patient + ".zip@1", zipped(t, lock.None, "", "f.csv", "text"), holding},
		"after an @ in a date folder":     {"landing/a/2026-11-24/f@" + patient + ".zip", zipped(t, lock.None, "", "f.csv", "text"), holding},
		"below folders named as ours":     {"landing/a/d/tables/lake/visits/data/" + patient + ".parquet", []byte("text"), holding},
		"escaped in JSON":                 {"log/000000000001", []byte(`{"a":["P\u002d4711-X"]}`), holding},
		"a bound in JSON":                 {"loads/1", bound, holding},
		"JSON without it":                 {"loads/1", []byte(`{"a":["P-4711-Y"]}`), 0},
		"half of JSON":                    {"loads/1", []byte(`{"a":["P-4711-Y"`), unread},
		"position deletes of commit":      {"tables/lake/visits/data/deletes-x.parquet", deletes(t, "file:///customer=a/f.parquet"), 0},
		"position deletes of merge":       {"tables/lake/visits/data/customer=a/1-2-x-deletes.parquet", deletes(t, "file:///"+patient+".parquet"), holding},
		"a data file that is none":        {"tables/lake/visits/data/f.parquet", []byte("PAR1PAR1"), unread},
		"an archive elsewhere":            {"loads/1", zipped(t, lock.None, "", "f.csv", "id\n1\n"), unread},
		"half an Avro file":               {"tables/lake/visits/metadata/m.avro", []byte("Obj\x01\x02\x14avro"), unread},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bucket(t)
			put(t, b, c.key, c.data)
			f := find(t, b, patient)
			want := map[int]erase.Findings{
				0: {Objects: 1}, holding: {Objects: 1, Holding: []string{c.key}}, unread: {Objects: 1, Unread: []string{c.key}},
			}[c.want]
			if !slices.Equal(f.Holding, want.Holding) || !slices.Equal(f.Unread, want.Unread) || f.Objects != want.Objects || f.Clean() != (c.want == 0) {
				t.Errorf("got %+v, want %+v", f, want)
			}
		})
	}
}

// TestScanFindsTheValueInTables looks for values that only data files and manifests hold.
func TestScanFindsTheValueInTables(t *testing.T) {
	t.Parallel()
	b := bucket(t)
	w, err := warehouse.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "catalog.db"), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := w.Ensure(t.Context(), lake.Schema{
		Format: lake.Format, Table: visits, Partition: []string{"customer"},
		Columns: append(lake.SystemColumns(),
			lake.Column{Name: "patient_id", Type: lake.Type{Kind: lake.String}, Bounds: true},
			lake.Column{Name: "number", Type: lake.Type{Kind: lake.Long}},
			lake.Column{Name: "text", Type: lake.Type{Kind: lake.String}}),
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	key := store.TablePrefix(visits) + "data/customer=a/month=2026-11/attempt-WIIU6WXX75B4T5IPNP4P727FKT-0.parquet"
	commit(t, b, w, s, key)

	if f := find(t, b, "nobody"); !f.Clean() || f.Objects < 4 {
		t.Errorf("got %+v, want every object read and nothing found", f)
	}
	for _, value := range []string{"4242424242", street} {
		if f := find(t, b, value); !slices.Equal(f.Holding, []string{key}) {
			t.Errorf("%s: got %+v, want the data file", value, f)
		}
	}
	for _, value := range coined(t, b) {
		if f := find(t, b, value); !f.Clean() {
			t.Errorf("%s, which the lake has named: got %+v", value, f)
		}
	}
	f := find(t, b, patient)
	if len(f.Holding) != 2 || f.Holding[0] != key || !strings.HasSuffix(f.Holding[1], ".avro") {
		t.Errorf("got %+v, want the data file and the manifest with its bounds", f)
	}
}

// coined are parts of what the lake has named: of files of metadata, as manifests and tables tell of them, and figures.
func coined(t *testing.T, b *store.Bucket) []string {
	t.Helper()
	parts := []string{"500", "2026", "P72", "000000000001"}
	put(t, b, store.LogKey(1), []byte(`{"receipts":[{"key":"landing/a/2026-11-24/f.zip@ABCDEFGHIJKLMNOPQRSTUVWXYZ","load":"loads/zz4711"}]}`))
	for o, err := range b.List(t.Context(), store.TablePrefix(visits)+"metadata/") {
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Split(strings.TrimPrefix(o.Key, store.TablePrefix(visits)+"metadata/"), "-")
		parts = append(parts, name[0], name[0][1:4], name[1])
	}
	if len(parts) < 16 {
		t.Fatalf("only %q", parts)
	}
	return parts
}

// deletes is a file of one position delete.
func deletes(t *testing.T, path string) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := datafile.WriteDeletes(&out, []datafile.Position{{Path: path, Row: 1}}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// commit adds a data file of one patient to the table.
func commit(t *testing.T, b *store.Bucket, w *warehouse.Warehouse, s lake.Schema, key string) {
	t.Helper()
	rows := column.New(s.Columns)
	for i := range 500 {
		for j := range rows.Columns {
			switch c := &rows.Columns[j]; c.Name {
			case lake.ColCustomer:
				c.AppendString("a")
			case lake.ColLoad:
				c.AppendString("load")
			case lake.ColArrivedAt:
				c.AppendInt(time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC).UnixMicro())
			case lake.ColEntry, lake.ColRow:
				c.AppendInt(int64(i))
			case "patient_id":
				c.AppendString(patient)
			case "number":
				c.AppendInt(4242424242)
			case "text":
				c.AppendString(street)
			default:
				c.AppendNull()
			}
		}
		rows.EndRow()
	}
	f, data := datafiletest.Encode(t, s, rows)
	put(t, b, key, data)
	f.Path, f.Customer = b.URL(key), "a"
	h, err := w.Batch(t.Context(), visits)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Apply(t.Context(), h, warehouse.Change{Add: []lake.DataFile{f}, Batch: 1}); err != nil {
		t.Fatal(err)
	}
}

func TestScanNeedsAValue(t *testing.T) {
	t.Parallel()
	if _, err := (erase.Scan{Bucket: bucket(t)}).Find(t.Context(), ""); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
