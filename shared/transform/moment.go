package transform

import (
	"time"

	"github.com/expr-lang/expr/ast"

	"medlake/shared/transform/column"
	"medlake/shared/transform/layout"
)

// bindTimestamp: ts(x, layout, …) is a moment; the first layout that fits counts, ISO if none is given. A time without an
// offset is in the feed's zone, else the facility's, else the customer's.
func bindTimestamp(args []ast.Node) (apply, []ast.Node, error) {
	layouts, err := layoutsOf(args[1:])
	return func(f *frame, a []value) value {
		switch a[0].kind {
		case timestamp:
			return a[0]
		case date:
			return value{kind: timestamp, num: f.utc(column.Time{Wall: a[0].num * column.MicrosPerDay})}
		}
		t, ok := parseAny(layouts, f.textOf(a[0]))
		if !ok {
			return value{kind: bad}
		}
		return value{kind: timestamp, num: f.utc(t)}
	}, args[:1], err
}

// bindDay: day(x, layout, …) is the date as it is written, whatever the time of day and offset beside it.
func bindDay(args []ast.Node) (apply, []ast.Node, error) {
	layouts, err := layoutsOf(args[1:])
	return func(f *frame, a []value) value {
		switch a[0].kind {
		case date:
			return a[0]
		case timestamp:
			return value{kind: date, num: column.Time{Wall: a[0].num}.Days()}
		}
		t, ok := parseAny(layouts, f.textOf(a[0]))
		if !ok {
			return value{kind: bad}
		}
		return value{kind: date, num: t.Days()}
	}, args[:1], err
}

func layoutsOf(args []ast.Node) ([]*layout.Layout, error) {
	if len(args) == 0 {
		iso, err := layout.Compile("iso")
		return []*layout.Layout{iso}, err
	}
	var out []*layout.Layout
	for _, a := range args {
		s, err := constantText(a)
		if err != nil {
			return nil, err
		}
		l, err := layout.Compile(s)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func parseAny(layouts []*layout.Layout, b []byte) (column.Time, bool) {
	for _, l := range layouts {
		if t, ok := l.Parse(b); ok {
			return t, true
		}
	}
	return column.Time{}, false
}

// utc turns a time as it was written into UTC microseconds.
func (f *frame) utc(t column.Time) int64 {
	if t.Zoned {
		return t.UTC()
	}
	b := f.bindings
	if !b.zoneKnown {
		b.zone, b.zoneKnown = b.rowZone(f), true
	}
	return b.zone.utc(t.Wall)
}

// zone turns wall clocks of one location into UTC. It keeps the span of the last offset, because looking one up costs
// more than all the rest.
type zone struct {
	location   *time.Location
	start, end int64 // wall clock of the span in which offset surely holds
	offset     int64 // microseconds east
}

func (z *zone) utc(wall int64) int64 {
	if wall >= z.start && wall < z.end {
		return wall - z.offset
	}
	// Between two offsets a wall clock may stand for no moment or two: time.Date decides, the same way every time.
	w := time.UnixMicro(wall).UTC()
	t := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), z.location)
	micros := t.UnixMicro()
	_, seconds := t.Zone()
	first, last := t.ZoneBounds()
	offset := int64(seconds) * 1_000_000
	start, end := int64(minWall), int64(maxWall)
	if !first.IsZero() {
		start = first.UnixMicro() + offset + column.MicrosPerDay
	}
	if !last.IsZero() {
		end = last.UnixMicro() + offset - column.MicrosPerDay
	}
	if wall >= start && wall < end { // a day away from any change of the clocks
		z.start, z.end, z.offset = start, end, offset
	}
	return micros
}

// Wall clocks from year 0 to 9999.
const (
	minWall = -62_167_219_200 * 1_000_000
	maxWall = 253_402_300_800 * 1_000_000
)
