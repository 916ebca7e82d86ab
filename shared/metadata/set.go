// Package metadata reads the YAML that describes feeds, tables, reports and customers into one Set, checked as a whole.
// It knows where every word stands, and reports all faults at once as file:line. It does not compile expressions or
// paths: package transform does, and its faults join these.
package metadata

import (
	"fmt"
	"time"

	"medlake/shared/lake"
)

// Set is all metadata of one version. It is immutable and safe for concurrent use.
type Set struct {
	Version   string // hash of every file's name and content
	Feeds     []*Feed
	Tables    []*Table
	Customers []*Customer
	Reports   []*Report
	refs      map[string]*Ref // "<name>" shared, "<customer>/<name>" a customer's own
	shapes    map[string]*Ref // by name: its columns
}

// Feed returns the feed called name, or nil.
func (s *Set) Feed(name string) *Feed {
	for _, f := range s.Feeds {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Table returns the table called name, or nil; a name without a namespace is one of namespace lake.
func (s *Set) Table(name string) *Table {
	for _, t := range s.Tables {
		if t.ID() == name || t.ID() == "lake."+name {
			return t
		}
	}
	return nil
}

// EventTables are the schemas of the tables that only grow. Of those that change, ingest writes the logs, which are merge's
// to make.
func (s *Set) EventTables() []lake.Schema {
	var all []lake.Schema
	for _, t := range s.Tables {
		if t.Change == nil {
			all = append(all, t.Schema())
		}
	}
	return all
}

// Customer returns the customer with this id, or nil.
func (s *Set) Customer(id string) *Customer {
	for _, c := range s.Customers {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Pos is a place in the metadata.
type Pos struct {
	File string
	Line int
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Text is a scalar with the place it was written at; Value is empty if the key is absent.
type Text struct {
	Value string
	Pos   Pos
}

// Named is a key with its text: a field's address, a column's expression.
type Named struct {
	Name string
	Text
}

// Feed says how the files of one kind become rows.
type Feed struct {
	Pos
	Name   string
	Doc    string
	From   *Pattern // over <customer>/<path>/<name>
	For    []string // only these customers; empty: all
	Like   string   // the feed whose settings this one inherits
	Open   Open
	Read   Read
	Dedupe string // member (default), content, arrival
	Lists  map[string][]string
	Into   []*Into // at least one; every table's fields, when and set are complete (inherited from the feed)
	As     string  // customer of the sample; empty: none
	Sample []Named // member name -> its text; one with an empty name if the feed has a plain sample, which every table wants
	Expect []Expect
}

// Open says how the envelope is opened.
type Open struct {
	Password Text // name of the secret, with captures: "zip/{customer}"; empty: none
	Nested   int  // archives inside archives allowed; default 1
}

// Read says how a member's bytes become fields.
type Read struct {
	As        string            // csv, xml (more formats come later)
	Delimiter string            // csv: one byte; default ","
	Quote     string            // csv: one byte, default `"`; "none": quotes are ordinary text
	Header    string            // csv: "first" (default) or "none"
	Columns   []string          // csv with header none: the names in order
	Ragged    string            // csv: a row with too few or too many fields: "reject" (default) or "pad"
	Encoding  string            // utf-8 (default), windows-1252, iso-8859-1, utf-16 (a BOM always wins)
	Empty     []string          // values that mean null; "" always does
	Zone      *time.Location    // zone of times that carry none; nil: the facility's, else the customer's
	NS        map[string]string // xml: prefix -> namespace; "" is the prefix of unprefixed names
}

// Into is one table a feed fills.
type Into struct {
	Pos
	Table  string
	Entry  *Pattern // over the member's name; nil: every member
	Each   Text     // xml: path of the element that is one row; empty: the document's root
	Fields []Named  // addresses of fields, in file order (xml: paths)
	When   Text     // rows for which this is not true are filtered
	Set    []Named  // column -> expression
	First  []string
}

// Expect is what one row of the sample must become: column -> value as written, in sample order over the tables' rows.
type Expect struct {
	Pos
	Table    string  // with several tables: which one; empty: the only one
	Values   []Named // wanted values; a null is the word null
	Nulls    map[string]bool
	Rejected string // the rule that must reject the row
	Filtered bool
}

// Table is one table of the lake.
type Table struct {
	Pos
	Name      string // without the namespace
	Namespace string // lake (default), ops, mart
	Doc       string
	Grain     string
	Columns   []Column
	Key       []string
	Change    *Change // nil: an event table that only grows
	Checks    []Check
	New       string // unknown source columns: keep (default, into _extra), freeze (quarantine), ignore
	Missing   string // a mapped source column is absent: warn (default), ignore, reject (quarantine missing_column)
	Mismatch  string // `contract.type`: a value does not fit its column: reject the row (default) or null with a warning
	Partition []string
	Sort      []string
	FileSize  int64 // bytes, default 128 MiB
	Fresh     time.Duration
}

// ID is namespace.name of the table as people query it.
func (t *Table) ID() string { return t.Namespace + "." + t.Name }

// Target is the Iceberg table ingest writes: ID, or ID with _log for a table that changes.
func (t *Table) Target() string {
	if t.Change != nil {
		return t.ID() + "_log"
	}
	return t.ID()
}

// Schema is the schema that Target should have: system columns, the table's own, then _extra. Field ids are 0.
func (t *Table) Schema() lake.Schema {
	s := lake.Schema{Format: lake.Format, Table: t.Target(), Partition: t.Partition, Sort: t.Sort, Doc: t.Doc, Columns: lake.SystemColumns()}
	for _, c := range t.Columns {
		if c.Name == lake.ColCustomer {
			continue
		}
		s.Columns = append(s.Columns, lake.Column{Name: c.Name, Type: c.Type, Required: c.Required, Bounds: c.PHI == "", Doc: c.Doc})
	}
	s.Columns = append(s.Columns, lake.Column{Name: lake.ColExtra, Type: lake.Type{Kind: lake.String}, Doc: "Source columns nobody has declared yet, as JSON."})
	return s
}

// Column is one column of a table.
type Column struct {
	Pos
	Name     string
	Type     lake.Type
	Required bool
	PHI      string // kind of protected information: mrn, name, date, address, …; empty: not protected
	Doc      string
}

// Change makes a table one that changes: rows are versions of a key.
type Change struct {
	Pos
	Order  []string // columns; the larger wins
	Delete Text     // expression over columns: true deletes the key
	Only   []Named  // column -> expression: only events for which it holds may change the column
	Keep   []string // columns that a null does not erase
	// MergeOn says which rows hide another key, whose last column stands in a column of theirs; nil: none.
	MergeOn *MergeOn
	// Replace makes the table one of snapshots, without versions: of the rows that share these columns (and the customer)
	// only those of the latest load count. All else is empty then.
	Replace []string
}

// MergeOn is a merge of two keys: a row for which When holds tells that the key with From in the place of its last column
// now goes by the row's own key.
type MergeOn struct {
	When Text
	From string // column
}

// Check is a rule over a row's columns.
type Check struct {
	Pos
	Name string
	Rule Text
	Else string  // warn, reject, fail
	Max  float64 // budget: share of a file's rows, 0 to 1; warn: over it an alert (default 1: never); fail: over it the file is quarantined (default 0)
}

// Customer is one tenant.
type Customer struct {
	Pos
	ID         string
	Name       string
	Zone       *time.Location
	Contacts   map[string]string
	Facilities []Facility
}

// Facility is one row of a customer's facilities.csv: code,id,name,kind,zone,npi,beds.
type Facility struct {
	Code string
	ID   int64
	Name string
	Kind string
	Zone *time.Location // nil: the customer's
	NPI  string
	Beds int64
}

// Report is kept as written until reports are built; its keys are checked.
type Report struct {
	Pos
	Name, Doc, Every, SQL string
}

// Fault is one fault of the metadata.
type Fault struct {
	Pos
	Message string
}

func (f Fault) Error() string { return f.Pos.String() + ": " + f.Message }
