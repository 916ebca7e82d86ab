// Package layout compiles the layouts of dates and times that authors write (Go's reference time, "hl7" or "iso") into
// parsers of bytes that allocate nothing. It knows no zones: it reports the wall clock and the offset that was written.
package layout

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"medlake/shared/transform/column"
)

// Layout is a compiled layout. It is immutable and safe for concurrent use.
type Layout struct {
	parse func([]byte) (column.Time, bool)
	steps []step
	clock bool // it reads hours
}

// Compile reads a layout: "iso" or "" (ISO 8601, see column.Timestamp), "hl7" (YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]), or
// Go's reference time, Mon Jan 2 15:04:05 2006 -0700, in any spelling. An error is a sentence for the author.
func Compile(text string) (*Layout, error) {
	switch strings.ToLower(text) {
	case "", "iso":
		return &Layout{parse: column.Timestamp, clock: true}, nil
	case "hl7":
		return &Layout{parse: hl7, clock: true}, nil
	}
	l := &Layout{}
	rest, slow, year := text, false, false
	for rest != "" {
		prefix, s, after := chunk(rest)
		if prefix != "" {
			l.steps = append(l.steps, step{kind: literal, text: prefix})
		}
		rest = after
		switch s.kind {
		case none:
		case zoneName:
			return nil, errors.New("layout has the zone's name (MST): such names are ambiguous; let the source write an offset (-0700), or set zone")
		case unsupported:
			slow = true
		case year4, year2:
			year = true
		case hour, hour12, hour12Two:
			l.clock = true
		}
		if s.kind != none {
			l.steps = append(l.steps, s)
		}
	}
	if !year {
		return nil, fmt.Errorf("layout %q has no year: write the time Mon Jan 2 15:04:05 2006 the way the source would write it, for example 01/02/2006 15:04", text)
	}
	l.parse = l.walk
	if slow {
		l.parse = func(b []byte) (column.Time, bool) { return library(text, b) }
	}
	return l, nil
}

// Parse reads b, all of it. It is not ok if b does not match the layout or names no real date.
func (l *Layout) Parse(b []byte) (column.Time, bool) { return l.parse(b) }

// HasClock reports whether the layout can hold a time of day.
func (l *Layout) HasClock() bool { return l.clock }

// library parses the rare layouts (day of the year, offsets with seconds) with package time.
func library(text string, b []byte) (column.Time, bool) {
	t, err := time.Parse(text, string(b))
	if err != nil {
		return column.Time{}, false
	}
	_, offset := t.Zone()
	return column.Time{
		Wall: t.UnixMicro() + int64(offset)*1_000_000, Offset: int64(offset),
		Zoned: strings.Contains(text, "07"),
	}, true
}
