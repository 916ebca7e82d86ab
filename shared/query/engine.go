package query

import "context"

// Engine runs statements. Statements may run at once; each sees only the catalog it was given.
//
// An engine must refuse everything but one reading statement. For a customer it must also make sure that the statement
// reaches nothing but the catalog's tables: no file, setting or function that shows more, whatever the statement says.
// Package querytest checks this.
type Engine interface {
	// Prepare checks a statement without reading any data. It returns an Error for one that it refuses.
	Prepare(ctx context.Context, s Statement) (Prepared, error)
}

// Prepared is a checked statement. It is used by one goroutine.
type Prepared interface {
	// Reads says which tables the statement names.
	Reads() Names
	// Run runs the statement over the catalog, once. The result lives until it is closed.
	Run(ctx context.Context, c Catalog) (*Result, error)
	// Close frees the statement; it may be called more than once.
	Close() error
}

// Statement is what an engine may know before it is given any table.
type Statement struct {
	SQL      string `json:"sql"`
	Customer string `json:"customer,omitempty"`
	Limits   Limits `json:"limits"`
}

// Names are the tables a statement names: namespace.name in lower case, with lake for a name without a namespace. Names
// that are the statement's own (WITH) may be among them. All is set if it looks at the list of tables.
type Names struct {
	Tables []string `json:"tables"`
	All    bool     `json:"all,omitempty"`
}
