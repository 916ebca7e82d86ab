package column_test

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"medlake/shared/transform/column"
)

func FuzzLong(f *testing.F) {
	for _, s := range []string{"", "0", "-0", "+5", "007", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e5", "1_0", " 1", "99999999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := column.Long([]byte(s))
		want, err := strconv.ParseInt(s, 10, 64)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%q: got %d %v, want %d %v", s, got, ok, want, err)
		}
	})
}

func FuzzDouble(f *testing.F) {
	for _, s := range []string{"", ".", "-", "1.", ".5", "-0", "1e5", "1e400", "0x10", "inf", "NaN", "1_0", "42.25963549943143", "9007199254740993", "0.1", "123456789012345.6", "+1.5", "1.5.2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := column.Double([]byte(s))
		want, err := strconv.ParseFloat(s, 64)
		if strings.ContainsAny(s, "xX_nNiIpP") || len(s) > 400 {
			if ok {
				t.Errorf("%q is taken", s)
			}
			return
		}
		if ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%q: got %v %v, want %v %v", s, got, ok, want, err)
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0.10", "-3", "1,234.5", "1.230", "1.234", "+.5", "5.", ".", "", "9999999.99", "10000000.00", "0000000000000000000000.1", "1e2", "99999999999999999999"} {
		f.Add(s, uint8(9), uint8(2))
	}
	f.Fuzz(func(t *testing.T, s string, precision, scale uint8) {
		p := int(precision)%18 + 1
		sc := int(scale) % (p + 1)
		got, ok := column.Decimal([]byte(s), p, sc)
		want, wantOK := exactDecimal(s, p, sc)
		if ok != wantOK || ok && got != want {
			t.Errorf("%q as decimal(%d,%d): got %d %v, want %d %v", s, p, sc, got, ok, want, wantOK)
		}
	})
}

// exactDecimal does with rational numbers what Decimal does with integers.
func exactDecimal(s string, precision, scale int) (int64, bool) {
	if strings.Trim(s, "+-0123456789.") != "" || strings.LastIndexAny(s, "+-") > 0 || len(s) > 300 {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !strings.ContainsAny(s, "0123456789") {
		return 0, false
	}
	ten := func(n int) *big.Rat {
		return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
	}
	r.Mul(r, ten(scale))
	if !r.IsInt() || new(big.Rat).Abs(r).Cmp(ten(precision)) >= 0 {
		return 0, false
	}
	return r.Num().Int64(), true
}

func FuzzTimestamp(f *testing.F) {
	for _, s := range []string{"2026-03-05", "2026-03-05T08:30:00Z", "2026-03-05 08:30:00.123456-05:00", "2026-03-05T08:30", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2024-02-29", "2023-02-29", "2026-03-05T08:30:00+0530", "2026-03-05T08:30:00 -07"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := column.Timestamp([]byte(s))
		if days, isDate := column.Date([]byte(s)); isDate != (ok && len(s) == 10) || isDate && days != got.Days() {
			t.Errorf("%q: as a date %d %v, as a timestamp %d %v", s, days, isDate, got.Days(), ok)
		}
		if want, err := time.Parse(time.RFC3339, s); err == nil && s[13] == ':' && (!ok || got.UTC() != want.UnixMicro()) {
			t.Errorf("%q: got %d %v, want %d", s, got.UTC(), ok, want.UnixMicro())
		}
		if ok && got.Offset == 0 && got.UTC() == got.UTC()/column.MicrosPerDay*column.MicrosPerDay {
			again, ok := column.Timestamp(column.AppendDate(nil, got.Days()))
			if !ok || again.Wall != got.Wall {
				t.Errorf("%q: its own spelling reads as %d %v", s, again.Wall, ok)
			}
		}
	})
}

func TestBoolean(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"true": "true", "TRUE": "true", "t": "true", "Y": "true", "yes": "true", "1": "true",
		"false": "false", "F": "false", "n": "false", "No": "false", "0": "false",
		"": "", "2": "", "on": "", "ja": "", "truth": "", "\x11": "", "\x59\x45S": "true",
	} {
		got := ""
		if b, ok := column.Boolean([]byte(s)); ok {
			got = strconv.FormatBool(b)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestAppendDecimal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		units int64
		scale int
		want  string
	}{{1234, 2, "12.34"}, {-5, 2, "-0.05"}, {0, 2, "0.00"}, {7, 0, "7"}, {math.MinInt64, 18, "-9.223372036854775808"}} {
		if got := string(column.AppendDecimal(nil, c.units, c.scale)); got != c.want {
			t.Errorf("%d with scale %d: got %s, want %s", c.units, c.scale, got, c.want)
		}
	}
}

func BenchmarkSlowDouble(b *testing.B) {
	v := []byte("42.25963549943143")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := column.Double(v); !ok {
			b.Fatal("not read")
		}
	}
}

func BenchmarkTimestamp(b *testing.B) {
	v := []byte("2026-03-05T08:30:00Z")
	for b.Loop() {
		if _, ok := column.Timestamp(v); !ok {
			b.Fatal("not read")
		}
	}
}
