package lake

import "time"

// Pending is object pending/<arrival>.<epoch>: a processed arrival on its way into the log.
type Pending struct {
	Format   int      `json:"format"`
	Arrival  Arrival  `json:"arrival"`
	Epoch    int64    `json:"epoch,omitempty"` // the replay it was derived for; 0: it came by itself
	Base     int64    `json:"base"`            // the log is searched for the arrival and its epoch above it
	Record   Record   `json:"record"`
	Replaces string   `json:"replaces,omitempty"` // the load whose rows leave when the record's come
	Older    []string `json:"older,omitempty"`    // loads before that one, where a restore may have brought their rows back
	Drops    []string `json:"drops,omitempty"`    // the tables that these loads have files in
	Without  []string `json:"without,omitempty"`  // tables that were restored without Replaces: the record stays out of them too
	Seen     int64    `json:"seen,omitempty"`     // the log was read up to here for the four above; 0: up to Epoch
	Erased   bool     `json:"erased,omitempty"`   // of an erasure: the old rows leave even if none come
}

// Entry is object log/<N>: what one claim took in. Entries are claimed in order, without holes, and never deleted; the
// log entry that holds an arrival is its receipt for ever. A replay, a restore and an erasure stand in entries of their own.
type Entry struct {
	Format   int            `json:"format"`
	N        int64          `json:"n"`
	ID       string         `json:"id,omitempty"` // of a replay, restore or erasure: tells it from an equal one
	Receipts []Receipt      `json:"receipts"`     // one an arrival
	Loads    []Load         `json:"loads,omitempty"`
	Replay   *ReplayRequest `json:"replay,omitempty"`
	Restore  *Restore       `json:"restore,omitempty"`
	Erase    *Erasure       `json:"erase,omitempty"`
}

// Receipt says what became of one arrival. It becomes one row of ops.loads.
type Receipt struct {
	ID       string  `json:"id"` // of the arrival
	Epoch    int64   `json:"epoch,omitempty"`
	Arrival  Arrival `json:"arrival"`
	Load     string  `json:"load"`
	Replaces string  `json:"replaces,omitempty"` // the load whose rows left for this one's
	Status   Status  `json:"status"`             // of a replay: quarantined means that the rows there were stay
	Reason   Reason  `json:"reason,omitempty"`
	Where    Where   `json:"where,omitzero"`
	Feed     string  `json:"feed,omitempty"`
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
	Load     string       `json:"load"`
	Epoch    int64        `json:"epoch,omitempty"`
	Replaces string       `json:"replaces,omitempty"` // its rows leave the tables of Drops when this one's come
	Older    []string     `json:"older,omitempty"`    // so do those of these loads, if they are there
	Drops    []string     `json:"drops,omitempty"`
	Erased   bool         `json:"erased,omitempty"` // they leave for good, even where a restore leaves this load out
	Tables   []TableFiles `json:"tables"`
}

// ReplayRequest asks that arrivals be derived anew. The number of its entry is the epoch of the loads that come of it. It
// is about what the log held before it, and it ends the replays before it: what they have not brought into the log by
// then stays out.
type ReplayRequest struct {
	Feed     string    `json:"feed,omitempty"`     // only arrivals whose last receipt names this feed; empty: all
	Customer string    `json:"customer,omitempty"` // empty: all
	Since    time.Time `json:"since,omitzero"`     // only uploads from this time on
	Until    time.Time `json:"until,omitzero"`     // only uploads before this time; zero: all
	Reason   string    `json:"reason"`             // why, in the operator's words
	Metadata string    `json:"metadata"`           // version to derive with
}

// Restore puts a table back to a snapshot that holds the entries up to Batch. The loads of later entries come back on top
// of it, but those excluded by choice, which stay out for ever.
type Restore struct {
	Table    string   `json:"table"` // as ingest writes it: with _log for a table that changes
	Snapshot int64    `json:"snapshot"`
	Batch    int64    `json:"batch"`
	Exclude  []string `json:"exclude,omitempty"` // loads
	Reason   string   `json:"reason,omitempty"`  // why, in the operator's words
}
