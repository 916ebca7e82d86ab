package lake

// Pending is object pending/<arrival, epoch>: a processed arrival on its way into the log.
type Pending struct {
	Format  int     `json:"format"`
	Arrival Arrival `json:"arrival"`
	Base    int64   `json:"base"` // the arrival's base: the log is searched for the arrival above it
	Record  Record  `json:"record"`
}

// Entry is object log/<N>: what one claim took in. Entries are claimed in order, without holes, and never deleted; the
// log entry that holds an arrival is its receipt for ever.
type Entry struct {
	Format   int       `json:"format"`
	N        int64     `json:"n"`
	Receipts []Receipt `json:"receipts"` // one an arrival
	Loads    []Load    `json:"loads,omitempty"`
}

// Receipt says what became of one arrival. It becomes one row of ops.loads.
type Receipt struct {
	ID      string  `json:"id"` // of the arrival
	Arrival Arrival `json:"arrival"`
	Load    string  `json:"load"`
	Status  Status  `json:"status"`
	Reason  Reason  `json:"reason,omitempty"`
	Where   Where   `json:"where,omitzero"`
	Feed    string  `json:"feed,omitempty"`
	// Counts over all tables of the load; zero for duplicates, whose rows stand on the load's first receipt.
	Read      int64            `json:"read"`
	Committed int64            `json:"committed"`
	Filtered  int64            `json:"filtered"`
	Rejected  int64            `json:"rejected"`
	Rows      map[string]int64 `json:"rows,omitempty"` // committed rows by table
	Metadata  string           `json:"metadata,omitempty"`
}

// Load is one load in the log: its files by table.
type Load struct {
	Load   string       `json:"load"`
	Tables []TableFiles `json:"tables"`
}
