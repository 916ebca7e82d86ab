package lake

import (
	"errors"
	"fmt"
)

// Errors callers branch on with errors.Is.
var (
	ErrInvalid  = errors.New("invalid")     // the input is at fault: retrying cannot help
	ErrNotFound = errors.New("not found")   // no such object, table, feed or customer
	ErrConflict = errors.New("conflict")    // somebody else was first, or the state moved: reload and look
	ErrDenied   = errors.New("not allowed") // the caller may not do this
)

// Refusal is an error that puts an arrival into quarantine. It says what and where, never a value. errors.Is(err,
// ErrInvalid) holds.
type Refusal struct {
	Reason Reason
	Where  Where
}

// Refuse makes a refusal of the whole file (entry -1) or of one member.
func Refuse(r Reason, entry int) *Refusal { return &Refusal{Reason: r, Where: Where{Entry: entry}} }

// At returns a copy of r placed at a line.
func (r *Refusal) At(line int) *Refusal { c := *r; c.Where.Line = line; return &c }

func (r *Refusal) Error() string {
	s := string(r.Reason)
	if r.Where.Entry >= 0 {
		s += fmt.Sprintf(", entry %d", r.Where.Entry)
	}
	if r.Where.Line > 0 {
		s += fmt.Sprintf(", line %d", r.Where.Line)
	}
	if r.Where.Column != "" {
		s += ", column " + r.Where.Column
	}
	if r.Where.Rule != "" {
		s += ", rule " + r.Where.Rule
	}
	return s
}

// Unwrap makes a refusal an ErrInvalid.
func (r *Refusal) Unwrap() error { return ErrInvalid }
