package datafile

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// one is a file of one optional column.
func one(t *testing.T, typeName string, bounds bool, values ...any) ([]byte, lake.DataFile) {
	t.Helper()
	s := lake.Schema{Columns: []lake.Column{{ID: 5, Name: "v", Type: typ(typeName), Bounds: bounds}}}
	b := column.New(s.Columns)
	for _, v := range values {
		put(&b.Columns[0], v)
		b.Rows++
	}
	return encode(t, s, b)
}

func le(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

func double(f float64) string {
	return string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(f)))
}

func TestBounds(t *testing.T) {
	t.Parallel()
	const none = "(none)"
	for name, c := range map[string]struct {
		typeName string
		values   []any
		lo, hi   string
	}{
		"text":                      {"string", []any{"b", nil, "a", "c"}, "a", "c"},
		"empty text":                {"string", []any{""}, "", ""},
		"prefix sorts first":        {"string", []any{"abcdefgh", "abcdefg", "abcdefgh\x00"}, "abcdefg", "abcdefgh\x00"},
		"equal leads":               {"string", []any{"12345678b", "12345678a", "12345678c"}, "12345678a", "12345678c"},
		"cut at 16 code points":     {"string", []any{"aaaaaaaaaaaaaaaaz", "bbbbbbbbbbbbbbbbz"}, "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbc"},
		"just 16":                   {"string", []any{"äääääääääääääääb"}, "äääääääääääääääb", "äääääääääääääääb"},
		"code points, not bytes":    {"string", []any{strings.Repeat("é", 17)}, strings.Repeat("é", 16), strings.Repeat("é", 15) + "ê"},
		"highest code point":        {"string", []any{"a" + strings.Repeat("\U0010FFFF", 16)}, "a" + strings.Repeat("\U0010FFFF", 15), "b"},
		"nothing above":             {"string", []any{strings.Repeat("\U0010FFFF", 17)}, strings.Repeat("\U0010FFFF", 16), none},
		"past the surrogates":       {"string", []any{strings.Repeat("\uD7FF", 17)}, strings.Repeat("\uD7FF", 16), strings.Repeat("\uD7FF", 15) + "\uE000"},
		"not text":                  {"string", []any{"\xff\xfe"}, none, none},
		"long":                      {"long", []any{5, nil, -3, 4}, le(-3), le(5)},
		"timestamp":                 {"timestamp", []any{5, -3}, le(-3), le(5)},
		"date":                      {"date", []any{5, -3}, le(-3)[:4], le(5)[:4]},
		"double":                    {"double", []any{1.5, math.NaN(), -2.5}, double(-2.5), double(1.5)},
		"double zero":               {"double", []any{0.0}, double(math.Copysign(0, -1)), double(0)},
		"double negative zero":      {"double", []any{math.Copysign(0, -1)}, double(math.Copysign(0, -1)), double(0)},
		"double infinite":           {"double", []any{math.Inf(1)}, double(math.Inf(1)), double(math.Inf(1))},
		"double not a number":       {"double", []any{math.NaN()}, none, none},
		"boolean":                   {"boolean", []any{true, false}, "\x00", "\x01"},
		"decimal of 18":             {"decimal(18,2)", []any{-1, 255}, "\xff", "\x00\xff"},
		"decimal of 9":              {"decimal(9,2)", []any{-129, 127}, "\xff\x7f", "\x7f"},
		"decimal zero":              {"decimal(9,2)", []any{0}, "\x00", "\x00"},
		"decimal largest, smallest": {"decimal(18,0)", []any{999999999999999999, -999999999999999999}, "\xf2\x1f\x49\x4c\x58\x9c\x00\x01", "\x0d\xe0\xb6\xb3\xa7\x63\xff\xff"},
		"nulls":                     {"long", []any{nil, nil}, none, none},
	} {
		show := func(m map[int][]byte) string {
			if v, ok := m[5]; ok {
				return string(v)
			}
			return none
		}
		_, f := one(t, c.typeName, true, c.values...)
		if lo, hi := show(f.Lower), show(f.Upper); lo != c.lo || hi != c.hi {
			t.Errorf("%s: got %q to %q, want %q to %q", name, lo, hi, c.lo, c.hi)
		}
		if _, f := one(t, c.typeName, false, c.values...); len(f.Lower)+len(f.Upper) > 0 {
			t.Errorf("%s: bounds although the column must not have any", name)
		}
	}
}

func TestBoundsOverRowGroups(t *testing.T) {
	t.Parallel()
	s := lake.Schema{Columns: []lake.Column{{ID: 5, Name: "v", Type: typ("string"), Bounds: true}}}
	batch := func(values ...any) *column.Batch {
		b := column.New(s.Columns)
		for _, v := range values {
			put(&b.Columns[0], v)
			b.Rows++
		}
		return b
	}
	_, f := encode(t, s, batch("m"), batch(nil), batch("z", "b"), batch("c"))
	if lo, hi := string(f.Lower[5]), string(f.Upper[5]); lo != "b" || hi != "z" {
		t.Errorf("got %q to %q, want b to z", lo, hi)
	}
}

// A protected value stands in the data pages alone, and no index claims that it is not there.
func TestProtectedColumnsLeaveNoBounds(t *testing.T) {
	t.Parallel()
	s, b := visits(300, 1)
	data, _ := encode(t, s, b)
	md := open(t, data).Metadata()
	for i, c := range md.RowGroups[0].Columns {
		st := c.MetaData.Statistics
		if told := st.MinValue != nil || st.MaxValue != nil || st.Min != nil || st.Max != nil; told != (s.Columns[i].Bounds && b.Columns[i].Nulls < b.Rows) {
			t.Errorf("%s: bounds in the footer: %v", s.Columns[i].Name, told)
		}
		if c.ColumnIndexOffset != 0 || c.OffsetIndexOffset != 0 {
			t.Errorf("%s has a page index", s.Columns[i].Name)
		}
		if st.NullCount != int64(b.Columns[i].Nulls) {
			t.Errorf("%s: %d nulls in the footer, want %d", s.Columns[i].Name, st.NullCount, b.Columns[i].Nulls)
		}
	}
	for _, secret := range []string{"Maximilian Mustermann", strings.Repeat("long text ", 100)} {
		data, f := one(t, "string", false, secret)
		if bytes.Contains(data[f.SplitOffsets[0]+f.ColumnBytes[5]:], []byte(secret[:8])) {
			t.Error("a protected value stands after the data pages")
		}
	}
	if data, _ := one(t, "string", true, strings.Repeat("long text ", 100)); open(t, data).Metadata().RowGroups[0].Columns[0].MetaData.Statistics.MinValue != nil {
		t.Error("a long text is repeated in the footer")
	}
}

func FuzzTextBounds(f *testing.F) {
	f.Add("Springfield", "Dover")
	f.Add(strings.Repeat("\U0010FFFF", 17), "")
	f.Add(strings.Repeat("\uD7FF", 20), strings.Repeat("é", 17))
	f.Fuzz(func(t *testing.T, a, b string) {
		var mem arena
		for _, v := range []string{a, b, a + b} {
			lo, ok := mem.lower(lake.Type{Kind: lake.String}, []byte(v))
			if ok != utf8.ValidString(v) {
				t.Fatalf("lower bound of %q: %v", v, ok)
			}
			if ok && (string(lo) > v || !utf8.Valid(lo) || utf8.RuneCount(lo) > boundRunes) {
				t.Fatalf("%q is no lower bound of %q", lo, v)
			}
			hi, ok := mem.upper(lake.Type{Kind: lake.String}, []byte(v))
			if ok && (string(hi) < v || !utf8.Valid(hi) || utf8.RuneCount(hi) > boundRunes) {
				t.Fatalf("%q is no upper bound of %q", hi, v)
			}
		}
		c := column.Column{Type: lake.Type{Kind: lake.String}}
		values := []string{a, b, a + b, b + a}
		lo, hi := values[0], values[0]
		for _, v := range values {
			put(&c, v)
			lo, hi = min(lo, v), max(hi, v)
		}
		gotLo, gotHi := textExtents(&c)
		if diff := cmp.Diff([]string{lo, hi}, []string{string(gotLo), string(gotHi)}); diff != "" {
			t.Fatalf("extents of %q (-want +got):\n%s", values, diff)
		}
	})
}
