package lake

import (
	"fmt"
	"strings"
)

// Kind is the kind of a column's values.
type Kind uint8

// The kinds. Integers are always 64 bits and floats double: types are never widened in place.
const (
	String    Kind = iota + 1
	Long           // int64
	Double         // float64
	Decimal        // int64 scaled by 10^Scale, precision at most 18
	Date           // int32, days since 1970-01-01
	Timestamp      // int64, microseconds since 1970-01-01 UTC
	Boolean
)

// Type is a column's type; Precision and Scale are set for Decimal only.
type Type struct {
	Kind             Kind
	Precision, Scale int
}

var kinds = map[string]Kind{
	"string": String, "long": Long, "double": Double, "date": Date, "timestamp": Timestamp, "boolean": Boolean,
}

// ParseType reads a type as tables spell it: string, long, double, decimal(18,2), date, timestamp, boolean.
func ParseType(s string) (Type, error) {
	if k, ok := kinds[s]; ok {
		return Type{Kind: k}, nil
	}
	t := Type{Kind: Decimal}
	if n, err := fmt.Sscanf(strings.ReplaceAll(s, " ", ""), "decimal(%d,%d)", &t.Precision, &t.Scale); n == 2 && err == nil &&
		t.Precision >= 1 && t.Precision <= 18 && t.Scale >= 0 && t.Scale <= t.Precision {
		return t, nil
	}
	return Type{}, fmt.Errorf("type %q is not one of string, long, double, decimal(p,s) with p up to 18, date, timestamp, boolean: %w", s, ErrInvalid)
}

func (t Type) String() string {
	if t.Kind == Decimal {
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	}
	for name, k := range kinds {
		if k == t.Kind {
			return name
		}
	}
	return "unknown"
}

// MarshalText spells the type as tables do.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *Type) UnmarshalText(b []byte) (err error) { *t, err = ParseType(string(b)); return err }

// Column is one column of a published schema.
type Column struct {
	ID       int    `json:"id"` // Iceberg field id; 0 in a schema that is wanted but not yet published
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Required bool   `json:"required,omitempty"`
	Bounds   bool   `json:"bounds,omitempty"` // write min and max: key, sort and untagged columns, never phi ones
	Doc      string `json:"doc,omitempty"`
}

// Schema is object schemas/<Table>/<N>: how data files of a table are written. Ingest needs it and no catalog.
type Schema struct {
	Format    int      `json:"format"`
	Table     string   `json:"table"` // namespace.table
	N         int      `json:"n"`
	Location  string   `json:"location"`  // URL of the table's folder
	Partition []string `json:"partition"` // subset of: customer, month(_arrived_at)
	Sort      []string `json:"sort,omitempty"`
	Doc       string   `json:"doc,omitempty"`
	Columns   []Column `json:"columns"`
}

// System columns stand first in every table ingest writes.
const (
	ColCustomer  = "customer"    // string, required: the tenant
	ColLoad      = "_load"       // string, required: the load the row came with
	ColEntry     = "_entry"      // long, required: member of the archive, from 0 in directory order
	ColRow       = "_row"        // long, required: record within the member, from 1
	ColArrivedAt = "_arrived_at" // timestamp, required: the store's time of the upload
	ColExtra     = "_extra"      // string: JSON of unknown source columns; last; treated as phi
)

// SystemColumns returns the columns that stand before a table's own.
func SystemColumns() []Column {
	return []Column{
		{Name: ColCustomer, Type: Type{Kind: String}, Required: true, Bounds: true, Doc: "The customer whose row this is."},
		{Name: ColLoad, Type: Type{Kind: String}, Required: true, Bounds: true, Doc: "The load that brought the row."},
		{Name: ColEntry, Type: Type{Kind: Long}, Required: true, Bounds: true, Doc: "Member of the archive, from 0 in directory order."},
		{Name: ColRow, Type: Type{Kind: Long}, Required: true, Bounds: true, Doc: "Record within the member, from 1."},
		{Name: ColArrivedAt, Type: Type{Kind: Timestamp}, Required: true, Bounds: true, Doc: "When the store took the upload."},
	}
}
