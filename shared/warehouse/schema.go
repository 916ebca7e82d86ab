package warehouse

import (
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// icebergType is the one Iceberg type of a lake type.
func icebergType(t lake.Type) (iceberg.Type, error) {
	switch t.Kind {
	case lake.String:
		return iceberg.PrimitiveTypes.String, nil
	case lake.Long:
		return iceberg.PrimitiveTypes.Int64, nil
	case lake.Double:
		return iceberg.PrimitiveTypes.Float64, nil
	case lake.Decimal:
		return iceberg.DecimalTypeOf(t.Precision, t.Scale), nil
	case lake.Date:
		return iceberg.PrimitiveTypes.Date, nil
	case lake.Timestamp:
		return iceberg.PrimitiveTypes.TimestampTz, nil
	case lake.Boolean:
		return iceberg.PrimitiveTypes.Bool, nil
	}
	return nil, fmt.Errorf("no Iceberg type for %s: %w", t, lake.ErrInvalid)
}

// lakeType is the inverse of icebergType.
func lakeType(t iceberg.Type) (lake.Type, error) {
	if d, ok := t.(iceberg.DecimalType); ok {
		return lake.ParseType(fmt.Sprintf("decimal(%d,%d)", d.Precision(), d.Scale()))
	}
	for _, k := range []lake.Kind{lake.String, lake.Long, lake.Double, lake.Date, lake.Timestamp, lake.Boolean} {
		if it, err := icebergType(lake.Type{Kind: k}); err == nil && t.Equals(it) {
			return lake.Type{Kind: k}, nil
		}
	}
	return lake.Type{}, fmt.Errorf("no column type for Iceberg's %s: %w", t, lake.ErrInvalid)
}

// icebergSchema lays out a schema for a new table. The catalog numbers the columns afresh.
func icebergSchema(s lake.Schema) (*iceberg.Schema, error) {
	fields := make([]iceberg.NestedField, len(s.Columns))
	for i, c := range s.Columns {
		t, err := icebergType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		fields[i] = iceberg.NestedField{ID: i + 1, Name: c.Name, Type: t, Required: c.Required, Doc: c.Doc}
	}
	return iceberg.NewSchema(0, fields...), nil
}

// Names of partition fields, by how a schema spells them.
const (
	byCustomer = "customer"
	byMonth    = "month(_arrived_at)"
)

// partitions maps a spelled partition to its source column and Iceberg's transform.
var partitions = map[string]struct {
	source, name string
	transform    iceberg.Transform
}{
	byCustomer: {lake.ColCustomer, "customer", iceberg.IdentityTransform{}},
	byMonth:    {lake.ColArrivedAt, "_arrived_at_month", iceberg.MonthTransform{}},
}

func partitionSpec(sc *iceberg.Schema, names []string) (iceberg.PartitionSpec, error) {
	var fields []iceberg.PartitionField
	for i, n := range names {
		p, ok := partitions[n]
		if !ok {
			return iceberg.PartitionSpec{}, fmt.Errorf("partition %q is not %s or %s: %w", n, byCustomer, byMonth, lake.ErrInvalid)
		}
		f, ok := sc.FindFieldByName(p.source)
		if !ok {
			return iceberg.PartitionSpec{}, fmt.Errorf("partition %s: no column %s: %w", n, p.source, lake.ErrInvalid)
		}
		fields = append(fields, iceberg.PartitionField{SourceIDs: []int{f.ID}, FieldID: 1000 + i, Name: p.name, Transform: p.transform})
	}
	return iceberg.NewPartitionSpec(fields...), nil
}

// spelled is the inverse of partitionSpec.
func spelled(spec iceberg.PartitionSpec) []string {
	names := []string{}
	for _, f := range spec.Fields() {
		i := slices.IndexFunc([]string{byCustomer, byMonth}, func(n string) bool { return partitions[n].name == f.Name })
		if i < 0 {
			names = append(names, f.Name)
			continue
		}
		names = append(names, []string{byCustomer, byMonth}[i])
	}
	return names
}

func sortOrder(sc *iceberg.Schema, names []string) (table.SortOrder, error) {
	if len(names) == 0 {
		return table.UnsortedSortOrder, nil
	}
	var fields []table.SortField
	for _, n := range names {
		f, ok := sc.FindFieldByName(n)
		if !ok {
			return table.SortOrder{}, fmt.Errorf("sort: no column %s: %w", n, lake.ErrInvalid)
		}
		fields = append(fields, table.SortField{
			SourceIDs: []int{f.ID}, Transform: iceberg.IdentityTransform{}, Direction: table.SortASC, NullOrder: table.NullsFirst,
		})
	}
	return table.NewSortOrder(1, fields)
}

// properties are the table properties that a schema decides, and the fixed ones.
func properties(s lake.Schema) iceberg.Properties {
	p := iceberg.Properties{
		table.PropertyFormatVersion:               "2",                        // position deletes, readable by every engine
		table.WriteDeleteModeKey:                  table.WriteModeMergeOnRead, // copy-on-write would bring deleted rows back
		table.CommitNumRetriesKey:                 "0",                        // a retry would not look at the log again
		table.ManifestMergeEnabledKey:             "true",
		table.MetadataDeleteAfterCommitEnabledKey: "true",
		table.MetadataPreviousVersionsMaxKey:      "20",
		"write.parquet.compression-codec":         "zstd",
		"comment":                                 s.Doc,
	}
	for _, c := range s.Columns {
		if !c.Bounds { // other writers must not put protected values into manifests either
			p[table.MetricsModeColumnConfPrefix+"."+c.Name] = "counts"
		}
	}
	return p
}

// published is how files of a table are written, whose schema is sc: every column it has, with its field id. What want says
// of a column holds; the others were another version of the metadata's, which may still be at work somewhere: it must find
// them.
func published(t *table.Table, sc *iceberg.Schema, want lake.Schema) (lake.Schema, error) {
	s := want
	s.Format, s.Location, s.Partition = lake.Format, t.Location(), spelled(t.Spec())
	s.Columns = nil
	for _, f := range sc.Fields() {
		typ, err := lakeType(f.Type)
		if err != nil {
			return lake.Schema{}, fmt.Errorf("table %s, column %s: %w", want.Table, f.Name, err)
		}
		c := lake.Column{Name: f.Name, Type: typ, Doc: f.Doc}
		if i := slices.IndexFunc(want.Columns, func(c lake.Column) bool { return c.Name == f.Name }); i >= 0 {
			c = want.Columns[i]
		}
		c.ID, c.Required = f.ID, f.Required
		s.Columns = append(s.Columns, c)
	}
	for _, c := range want.Columns {
		if _, ok := sc.FindFieldByName(c.Name); !ok {
			return lake.Schema{}, fmt.Errorf("table %s has no column %s", want.Table, c.Name)
		}
	}
	return s, nil
}

// current is a table's own schema: every column it ever had.
func current(name string, t *table.Table) (lake.Schema, error) {
	s := lake.Schema{Format: lake.Format, Table: name, N: t.Schema().ID, Location: t.Location(), Partition: spelled(t.Spec()), Doc: t.Properties()["comment"]}
	for _, f := range t.Schema().Fields() {
		typ, err := lakeType(f.Type)
		if err != nil {
			return lake.Schema{}, fmt.Errorf("table %s, column %s: %w", name, f.Name, err)
		}
		s.Columns = append(s.Columns, lake.Column{
			ID: f.ID, Name: f.Name, Type: typ, Required: f.Required, Doc: f.Doc,
			Bounds: t.Properties()[table.MetricsModeColumnConfPrefix+"."+f.Name] == "",
		})
	}
	return s, nil
}
