package transform

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"strconv"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// kind is the kind of a value while a row is worked out.
type kind uint8

const (
	null kind = iota
	bad       // something did not fit: the column is rejected as `type`
	text
	long
	double
	decimal
	date
	timestamp
	boolean
	list    // compile time only: a list of the expr VM
	unknown // compile time only
)

// value is what an expression gives for one row.
type value struct {
	kind  kind
	scale uint8   // decimal
	num   int64   // long; decimal units; days; microseconds UTC; 0 or 1
	float float64 // double
	text  []byte  // valid until the next row
}

func textOf(b []byte) value   { return value{kind: text, text: b} }
func longOf(n int64) value    { return value{kind: long, num: n} }
func floatOf(f float64) value { return value{kind: double, float: f} }

func boolOf(b bool) value {
	if b {
		return value{kind: boolean, num: 1}
	}
	return value{kind: boolean}
}

func (v value) isTrue() bool { return v.kind == boolean && v.num == 1 }

// number turns text into the number it spells; other kinds stay.
func (v value) number() value {
	if v.kind != text {
		return v
	}
	if n, ok := column.Long(v.text); ok {
		return longOf(n)
	}
	if f, ok := column.Double(v.text); ok {
		return floatOf(f)
	}
	return value{kind: bad}
}

func (v value) isNumber() bool { return v.kind == long || v.kind == double || v.kind == decimal }

func (v value) asFloat() float64 {
	switch v.kind {
	case double:
		return v.float
	case decimal:
		return float64(v.num) / float64(column.Ten(int(v.scale)))
	}
	return float64(v.num)
}

// rescale gives a decimal or long with another number of places; not ok if it does not fit or would lose digits.
func (v value) rescale(scale uint8) (int64, bool) {
	n := v.num
	for s := v.scale; s > scale; s-- {
		if n%10 != 0 {
			return 0, false
		}
		n /= 10
	}
	for s := v.scale; s < scale; s++ {
		if n > math.MaxInt64/10 || n < math.MinInt64/10 {
			return 0, false
		}
		n *= 10
	}
	return n, true
}

// compare orders two values that are not null. Text beside another kind is read as that kind. Not ok if they cannot be
// compared.
func compare(a, b value) (int, bool) {
	if a.kind == text && b.kind == text {
		return bytes.Compare(a.text, b.text), true
	}
	if a.kind == text {
		a = a.like(b.kind)
	} else if b.kind == text {
		b = b.like(a.kind)
	}
	switch {
	case a.isNumber() && b.isNumber():
		return compareNumbers(a, b), true
	case a.kind == boolean && b.kind == boolean, a.kind == date && b.kind == date, a.kind == timestamp && b.kind == timestamp:
		return cmp.Compare(a.num, b.num), true
	case a.kind == date && b.kind == timestamp:
		return cmp.Compare(a.num*column.MicrosPerDay, b.num), true
	case a.kind == timestamp && b.kind == date:
		return cmp.Compare(a.num, b.num*column.MicrosPerDay), true
	}
	return 0, false
}

func compareNumbers(a, b value) int {
	if a.kind != double && b.kind != double {
		scale := max(a.scale, b.scale)
		x, ok1 := a.rescale(scale)
		y, ok2 := b.rescale(scale)
		if ok1 && ok2 {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(a.asFloat(), b.asFloat())
}

// like reads text as a value of kind k.
func (v value) like(k kind) value {
	switch k {
	case long, double, decimal:
		return v.number()
	case date:
		if t, ok := column.Timestamp(v.text); ok {
			return value{kind: date, num: t.Days()}
		}
	case timestamp:
		if t, ok := column.Timestamp(v.text); ok {
			return value{kind: timestamp, num: t.UTC()}
		}
	case boolean:
		if b, ok := column.Boolean(v.text); ok {
			return boolOf(b)
		}
	}
	return value{kind: bad}
}

// equal compares two values; null equals only null, and what cannot be compared is not equal.
func equal(a, b value) bool {
	if a.kind == null || b.kind == null {
		return a.kind == b.kind
	}
	c, ok := compare(a, b)
	return ok && c == 0
}

// calculate works out a operator b for values that are not null.
func calculate(f *frame, operator byte, a, b value) value {
	switch {
	case operator == '+' && a.kind == text && b.kind == text:
		return f.join(a.text, b.text)
	case a.kind == date && b.kind == date && operator == '-':
		return longOf(a.num - b.num)
	case a.kind == timestamp && b.kind == timestamp && operator == '-':
		return floatOf(float64(a.num-b.num) / 1e6)
	case a.kind == date && b.kind == long && (operator == '+' || operator == '-'):
		if operator == '-' {
			b.num = -b.num
		}
		return value{kind: date, num: a.num + b.num}
	}
	a, b = a.number(), b.number()
	if !a.isNumber() || !b.isNumber() {
		return value{kind: bad}
	}
	if a.kind == double || b.kind == double || operator == '/' {
		return calculateFloat(operator, a.asFloat(), b.asFloat())
	}
	if operator == '*' {
		hi, lo := bits.Mul64(uint64(magnitude(a.num)), uint64(magnitude(b.num)))
		if hi != 0 || lo > math.MaxInt64 || a.scale+b.scale > 18 {
			return calculateFloat(operator, a.asFloat(), b.asFloat())
		}
		return exact(a.num*b.num, a.scale+b.scale, a, b)
	}
	scale := max(a.scale, b.scale)
	x, ok1 := a.rescale(scale)
	y, ok2 := b.rescale(scale)
	if !ok1 || !ok2 {
		return value{kind: bad}
	}
	switch operator {
	case '+':
		if s := x + y; (s > x) == (y > 0) {
			return exact(s, scale, a, b)
		}
	case '-':
		if s := x - y; (s < x) == (y > 0) {
			return exact(s, scale, a, b)
		}
	case '%':
		if y != 0 {
			return exact(x%y, scale, a, b)
		}
	}
	return value{kind: bad}
}

func magnitude(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func exact(n int64, scale uint8, a, b value) value {
	if a.kind == long && b.kind == long {
		return longOf(n)
	}
	return value{kind: decimal, num: n, scale: scale}
}

func calculateFloat(operator byte, a, b float64) value {
	var r float64
	switch operator {
	case '+':
		r = a + b
	case '-':
		r = a - b
	case '*':
		r = a * b
	case '/':
		r = a / b
	case '%':
		r = math.Mod(a, b)
	}
	if math.IsInf(r, 0) || math.IsNaN(r) {
		return value{kind: bad}
	}
	return floatOf(r)
}

// appendText spells v as people and CSV files do.
func (v value) appendText(b []byte) []byte {
	switch v.kind {
	case text:
		return append(b, v.text...)
	case long:
		return strconv.AppendInt(b, v.num, 10)
	case double:
		return strconv.AppendFloat(b, v.float, 'f', -1, 64)
	case decimal:
		return column.AppendDecimal(b, v.num, int(v.scale))
	case date:
		return column.AppendDate(b, v.num)
	case timestamp:
		return column.AppendTimestamp(b, v.num)
	case boolean:
		return strconv.AppendBool(b, v.num == 1)
	}
	return b
}

// kindOf is the kind of a column's values.
func kindOf(k lake.Kind) kind {
	switch k {
	case lake.String:
		return text
	case lake.Long:
		return long
	case lake.Double:
		return double
	case lake.Decimal:
		return decimal
	case lake.Date:
		return date
	case lake.Timestamp:
		return timestamp
	case lake.Boolean:
		return boolean
	}
	return unknown
}
