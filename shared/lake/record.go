package lake

import "time"

// Status is what became of an arrival.
type Status string

// The statuses. A record is loaded or quarantined; an arrival may also be the duplicate of an earlier load.
const (
	Loaded      Status = "loaded"
	Quarantined Status = "quarantined"
	Duplicate   Status = "duplicate"
)

// Record is the result of processing one arrival: object loads/<Load>, written once with put-if-absent. It is the single
// commit point of ingest. Long after the load is in the log, what the log says too is taken out of it.
type Record struct {
	Format    int          `json:"format"`
	Load      string       `json:"load"`
	Arrival   string       `json:"arrival"`         // the arrival whose processing made this record
	Epoch     int64        `json:"epoch,omitempty"` // the replay that it was made for; 0: the arrival came by itself
	Customer  string       `json:"customer"`
	Feed      string       `json:"feed,omitempty"`
	Metadata  string       `json:"metadata"` // version of the metadata set
	Status    Status       `json:"status"`
	Reason    Reason       `json:"reason,omitempty"` // quarantined only
	Where     Where        `json:"where,omitzero"`   // quarantined only: where in the file
	Base      int64        `json:"base"`             // a log number read before this record was claimed
	ArrivedAt time.Time    `json:"arrived_at"`
	Entries   int          `json:"entries"`             // members of the archive
	Unmatched []int        `json:"unmatched,omitempty"` // index of members that no table wanted
	Tables    []TableFiles `json:"tables,omitempty"`
	Warnings  []Warning    `json:"warnings,omitempty"`
	Log       int64        `json:"log,omitempty"` // the entry that Tables stand in, once they are taken out here
}

// TableFiles is what one load adds to one table. Read = Committed + Filtered + Rejected; the sum of the files' rows is
// Committed.
type TableFiles struct {
	Table     string     `json:"table"`  // namespace.table, with _log for a table that changes
	Schema    int        `json:"schema"` // the n of schemas/<table>/<n> the files were written with
	Read      int64      `json:"read"`
	Committed int64      `json:"committed"`
	Filtered  int64      `json:"filtered"`
	Rejected  int64      `json:"rejected"`
	Files     []DataFile `json:"files,omitempty"`
}

// Warning counts rows that broke a check whose `else` is warn.
type Warning struct {
	Table string `json:"table"`
	Rule  string `json:"rule"`
	Rows  int64  `json:"rows"`
	Over  bool   `json:"over,omitempty"` // over the check's budget: raise an alert
}

// Where is a place in an arrival. Zero fields are unknown, but Entry counts from 0 and is -1 when the whole file is meant.
type Where struct {
	Entry  int    `json:"entry"`
	Line   int    `json:"line,omitempty"`   // from 1
	Column string `json:"column,omitempty"` // a name of the metadata, never a value
	Rule   string `json:"rule,omitempty"`
}

// DataFile is one Parquet file with all that an Iceberg manifest says about it, ready-made from the footer in memory.
// Maps go from field id to the figure; bounds are in Iceberg's single-value serialisation.
type DataFile struct {
	Path         string         `json:"path"` // absolute URL of the object
	Rows         int64          `json:"rows"`
	Bytes        int64          `json:"bytes"`
	Customer     string         `json:"customer,omitempty"` // partition value; empty where the table has no such partition
	Month        int32          `json:"month"`              // partition value: month(_arrived_at), months since 1970-01
	ColumnBytes  map[int]int64  `json:"column_bytes,omitempty"`
	Values       map[int]int64  `json:"values,omitempty"`
	Nulls        map[int]int64  `json:"nulls,omitempty"`
	Lower        map[int][]byte `json:"lower,omitempty"`
	Upper        map[int][]byte `json:"upper,omitempty"`
	SplitOffsets []int64        `json:"split_offsets,omitempty"`
}
