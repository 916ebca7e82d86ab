package transform

import (
	"time"

	"github.com/expr-lang/expr/ast"

	"medlake/shared/transform/column"
	"medlake/shared/transform/layout"
)

// moment is ts(x, layout, …), a moment, or day(x, layout, …), a date; the first layout that fits counts, ISO if none is
// given. A time without an offset is in the feed's zone, else the facility's, else the customer's. A date is taken as it is
// written, whatever the time of day and offset beside it.
type moment struct {
	of      op
	layouts []*layout.Layout
	day     bool
}

func (o *moment) eval(f *frame) value { return o.read(f, o.of.eval(f)) }

func (o *moment) result() kind {
	if o.day {
		return date
	}
	return timestamp
}

// read reads a value that may be null or a date or time already.
func (o *moment) read(f *frame, v value) value {
	switch v.kind {
	case null, bad:
		return v
	case date:
		if o.day {
			return v
		}
		return value{kind: timestamp, num: f.utc(column.Time{Wall: v.num * column.MicrosPerDay})}
	case timestamp:
		if o.day {
			return value{kind: date, num: column.Time{Wall: v.num}.Days()}
		}
		return v
	}
	n, ok := o.parse(f, f.textOf(v))
	if !ok {
		return value{kind: bad}
	}
	return value{kind: o.result(), num: n}
}

// parse reads text as days or microseconds.
func (o *moment) parse(f *frame, b []byte) (int64, bool) {
	for _, l := range o.layouts {
		t, ok := l.Parse(b)
		switch {
		case ok && o.day:
			return t.Days(), true
		case ok:
			return f.utc(t), true
		}
	}
	return 0, false
}

func bindTimestamp(args []ast.Node) (apply, []ast.Node, error) { return bindMoment(args, false) }
func bindDay(args []ast.Node) (apply, []ast.Node, error)       { return bindMoment(args, true) }

func bindMoment(args []ast.Node, day bool) (apply, []ast.Node, error) {
	layouts, err := layoutsOf(args[1:])
	o := &moment{layouts: layouts, day: day}
	return func(f *frame, a []value) value { return o.read(f, a[0]) }, args[:1], err
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
