package query

// Kind says how a column's cells are written for programs.
type Kind string

// The kinds of cells.
const (
	Text    Kind = "text"
	Number  Kind = "number"  // digits as the engine has them: exact, whatever their length; or NaN, Infinity, -Infinity
	Boolean Kind = "boolean" // true, false
	Time    Kind = "time"    // a date 2006-01-02, or a moment as RFC 3339 in UTC
	JSON    Kind = "json"    // a list, struct or map
)

// Column is a column of a result.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // the engine's name of the type
	Kind Kind   `json:"kind"`
}

// Cell is one value: its exact text, or null.
type Cell struct {
	Text string
	Null bool
}
