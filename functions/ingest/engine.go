package ingest

import (
	"time"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Engine reads uploads by metadata. Metadata makes the real one; a simulation has a smaller one. It is immutable and safe
// for concurrent use. Errors that are a *lake.Refusal put an arrival into quarantine; all others are tried again.
type Engine interface {
	// Version names the metadata.
	Version() string
	// Match finds how uploads called <customer>/<path>/<name> are read.
	Match(name string) (Plan, error)
}

// Plan is how the uploads of one feed and one customer are read.
type Plan interface {
	About() About
	// Tables are what the feed fills, ops.rejects among them. Their positions are the table numbers of Origin.Flush.
	Tables() []Table
	// Open proves the whole upload. data stays as it is until Content is closed.
	Open(data []byte, passwords []string) (Content, error)
}

// About names a plan.
type About struct {
	Feed     string
	Captures []string // name=value, sorted
	Dedupe   string   // member, content or arrival; empty is member
	Secret   string   // name of the passwords; empty: none
}

// Table is a table as the metadata wants it.
type Table struct {
	Schema   lake.Schema // without field ids
	FileSize int64       // bytes of a data file before the next one begins; 0: no limit
}

// Content is an open upload. It is not safe for concurrent use.
type Content interface {
	// Sums are the hashes of its members.
	Sums() [][32]byte
	// Run reads every row. What it gives out depends on the upload, the metadata and o alone.
	Run(o Origin) (Outcome, error)
	Close() error
}

// Origin is what rows carry from their upload, and where they go.
type Origin struct {
	Load      string
	ArrivedAt time.Time
	// Flush takes the rows built so far of a table; the batch is the caller's again when it returns.
	Flush func(table int, b *column.Batch) error
}

// Outcome counts what was read.
type Outcome struct {
	Entries   int               // members
	Unmatched []int             // members that no table wanted
	Tables    []lake.TableFiles // counts, one a table of Plan.Tables and in their order; without files
	Warnings  []lake.Warning
}
