package transform

import (
	"math"

	"github.com/expr-lang/expr/ast"

	"medlake/shared/transform/column"
)

func numberOf(_ *frame, a []value) value {
	if v := a[0].number(); v.isNumber() {
		return v
	}
	return value{kind: bad}
}

func integerOf(_ *frame, a []value) value {
	v := a[0].number()
	switch v.kind {
	case long:
		return v
	case decimal:
		if n, ok := v.rescale(0); ok {
			return longOf(n)
		}
	case double:
		return whole(v.float)
	case boolean:
		return longOf(v.num)
	}
	return value{kind: bad}
}

func floatingOf(_ *frame, a []value) value {
	if v := a[0].number(); v.isNumber() {
		return floatOf(v.asFloat())
	}
	return value{kind: bad}
}

// whole turns a float without fraction into a long.
func whole(f float64) value {
	if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return value{kind: bad}
	}
	return longOf(int64(f))
}

// bindDecimal: dec(x, 2) is x exactly, with two places. Text with more digits than that is bad, unless they are zeros; a
// calculated float is rounded.
func bindDecimal(args []ast.Node) (apply, []ast.Node, error) {
	scale, err := constantInt(args[1], 0, 18)
	return func(_ *frame, a []value) value { return toDecimal(a[0], 18, scale) }, args[:1], err
}

func toDecimal(v value, precision, scale int) value {
	var n int64
	ok := false
	switch v.kind {
	case text:
		n, ok = column.Decimal(v.text, precision, scale)
	case long, decimal:
		n, ok = v.rescale(uint8(scale))
	case double:
		f := math.Round(v.float * float64(column.Ten(scale)))
		n, ok = int64(f), math.Abs(f) < 1e18
	}
	if !ok || n >= column.Ten(precision) || n <= -column.Ten(precision) {
		return value{kind: bad}
	}
	return value{kind: decimal, num: n, scale: uint8(scale)}
}

// bindRound: round(x) is a whole number, round(x, 2) has two places; halves go away from zero.
func bindRound(args []ast.Node) (apply, []ast.Node, error) {
	places := 0
	if len(args) == 2 {
		var err error
		if places, err = constantInt(args[1], 0, 15); err != nil {
			return nil, nil, err
		}
	}
	return func(_ *frame, a []value) value {
		v := a[0].number()
		switch {
		case v.kind == long:
			return v
		case v.kind == decimal && int(v.scale) <= places:
			return v
		case v.kind == decimal:
			return roundDecimal(v, places)
		case v.kind != double:
			return value{kind: bad}
		}
		ten := float64(column.Ten(places))
		f := math.Round(v.float*ten) / ten
		if places == 0 {
			return whole(f)
		}
		return floatOf(f)
	}, args[:1], nil
}

func roundDecimal(v value, places int) value {
	ten := column.Ten(int(v.scale) - places)
	half := ten / 2
	if v.num < 0 {
		half = -half
	}
	n := (v.num + half) / ten
	if places == 0 {
		return longOf(n)
	}
	return value{kind: decimal, num: n, scale: uint8(places)}
}

func absolute(_ *frame, a []value) value {
	v := a[0].number()
	switch v.kind {
	case long, decimal:
		v.num = magnitude(v.num)
	case double:
		v.float = math.Abs(v.float)
	default:
		return value{kind: bad}
	}
	return v
}

func floor(_ *frame, a []value) value { return toWhole(a[0], math.Floor) }

func ceiling(_ *frame, a []value) value { return toWhole(a[0], math.Ceil) }

func toWhole(v value, round func(float64) float64) value {
	switch v = v.number(); v.kind {
	case long:
		return v
	case double, decimal:
		return whole(round(v.asFloat()))
	}
	return value{kind: bad}
}

func smallest(_ *frame, a []value) value { return extreme(a, -1) }
func largest(_ *frame, a []value) value  { return extreme(a, 1) }

func extreme(a []value, sign int) value {
	best := a[0]
	for _, v := range a[1:] {
		c, ok := compare(v, best)
		if !ok {
			return value{kind: bad}
		}
		if c*sign > 0 {
			best = v
		}
	}
	return best
}
