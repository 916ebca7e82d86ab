package duckdb

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"medlake/shared/query"
)

// columns names the columns of a result.
func columns(types []*sql.ColumnType) []query.Column {
	out := make([]query.Column, len(types))
	for i, t := range types {
		out[i] = query.Column{Name: t.Name(), Type: t.DatabaseTypeName(), Kind: kind(t.DatabaseTypeName())}
	}
	return out
}

// kind is how cells of a type are written for programs.
func kind(t string) query.Kind {
	if strings.HasSuffix(t, "]") || strings.HasPrefix(t, "STRUCT") || strings.HasPrefix(t, "MAP") || strings.HasPrefix(t, "UNION") {
		return query.JSON
	}
	base, _, _ := strings.Cut(t, "(")
	switch base {
	case "JSON":
		return query.JSON
	case "BOOLEAN":
		return query.Boolean
	case "DATE", "TIMESTAMPTZ", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS":
		return query.Time
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM", "FLOAT", "DOUBLE", "DECIMAL":
		return query.Number
	}
	return query.Text
}

// cell is a value's exact text.
func cell(v any, typ string) query.Cell {
	if v == nil {
		return query.Cell{Null: true}
	}
	if text, ok := v.(string); ok {
		return query.Cell{Text: text}
	}
	if kind(typ) == query.JSON {
		return query.Cell{Text: nested(v)}
	}
	return query.Cell{Text: plain(v, typ)}
}

func plain(v any, typ string) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case int32:
		return strconv.FormatInt(int64(v), 10)
	case float64:
		return float(v, 64)
	case float32:
		return float(float64(v), 32)
	case *big.Int:
		return v.String()
	case duckdb.Decimal:
		return decimal(v)
	case time.Time:
		return moment(v, typ)
	case duckdb.Interval:
		return interval(v)
	case []byte:
		if typ == "UUID" && len(v) == 16 {
			return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
		}
		return base64.StdEncoding.EncodeToString(v)
	}
	return fmt.Sprint(v)
}

func float(v float64, bits int) string {
	switch {
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(v, 'g', -1, bits)
}

// decimal writes a decimal with all digits of its scale.
func decimal(d duckdb.Decimal) string {
	s := d.Value.String()
	if d.Scale == 0 {
		return s
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if pad := int(d.Scale) + 1 - len(s); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	cut := len(s) - int(d.Scale)
	return sign + s[:cut] + "." + s[cut:]
}

// moment writes a time as RFC 3339; one without a zone has none written either.
func moment(t time.Time, typ string) string {
	switch typ {
	case "DATE":
		return t.Format(time.DateOnly)
	case "TIMESTAMPTZ":
		return t.UTC().Format(time.RFC3339Nano)
	case "TIME", "TIMETZ":
		return t.Format("15:04:05.999999")
	}
	return t.Format("2006-01-02T15:04:05.999999999")
}

// interval writes months, days and microseconds as ISO 8601 does.
func interval(i duckdb.Interval) string {
	sec := strconv.FormatFloat(float64(i.Micros)/1e6, 'f', -1, 64)
	return fmt.Sprintf("P%dM%dDT%sS", i.Months, i.Days, sec)
}

// nested writes lists, structs and maps as JSON. Parts that JSON has no type for become text.
func nested(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(jsonable(v)); err != nil {
		return strconv.Quote(fmt.Sprint(v))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func jsonable(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int8, int16, int32, int64, uint8, uint16, uint32, uint64, json.Number:
		return v
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = jsonable(x)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = jsonable(x)
		}
		return out
	case duckdb.OrderedMap:
		out := map[string]any{}
		for _, k := range v.Keys() {
			x, _ := v.Get(k)
			out[plain(k, "")] = jsonable(x)
		}
		return out
	case float32, float64, *big.Int, duckdb.Decimal:
		if s := plain(v, ""); json.Valid([]byte(s)) {
			return json.Number(s)
		}
		return plain(v, "")
	case time.Time:
		return moment(v, "TIMESTAMPTZ")
	}
	return plain(v, "")
}
