package column

import (
	"math"
	"strconv"
	"unsafe"
)

// Long reads a whole number of decimal digits with an optional sign; anything else, also a number past 64 bits, is not ok.
func Long(b []byte) (v int64, ok bool) {
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i = 1
	}
	if i == len(b) {
		return 0, false
	}
	if len(b)-i > 18 {
		return long19(b, i)
	}
	for _, c := range b[i:] {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int64(d)
	}
	if b[0] == '-' {
		v = -v
	}
	return v, true
}

// long19 reads numbers that may not fit.
func long19(b []byte, i int) (int64, bool) {
	var v uint64
	for _, c := range b[i:] {
		d := c - '0'
		if d > 9 || v > (math.MaxUint64-9)/10 {
			return 0, false
		}
		v = v*10 + uint64(d)
	}
	switch {
	case b[0] == '-' && v <= 1<<63:
		return -int64(v), true
	case b[0] != '-' && v <= math.MaxInt64:
		return int64(v), true
	}
	return 0, false
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// Double reads a decimal number with an optional sign, point and exponent. Hexadecimal, infinite and not-a-number texts
// are not ok.
func Double(b []byte) (float64, bool) {
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i = 1
	}
	if len(b)-i == 0 || len(b)-i > 16 {
		return slowDouble(b)
	}
	var m int64
	point := -1
	for j := i; j < len(b); j++ {
		if d := b[j] - '0'; d <= 9 {
			m = m*10 + int64(d)
		} else if b[j] == '.' && point < 0 {
			point = j
		} else {
			return slowDouble(b)
		}
	}
	if m >= 1<<53 || len(b)-i == 1 && point >= 0 {
		return slowDouble(b)
	}
	f := float64(m) // exact, and so is the power of ten: the quotient is correctly rounded
	if point >= 0 {
		f /= powers[len(b)-1-point]
	}
	if b[0] == '-' {
		f = -f
	}
	return f, true
}

func slowDouble(b []byte) (float64, bool) {
	if len(b) == 0 || len(b) > 400 {
		return 0, false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	// ParseFloat only reads its argument and copies it into errors, so no string has to be made. BenchmarkSlowDouble:
	// coordinates have 16 digits, so this is not a rare path.
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	return f, err == nil
}

// Decimal reads a plain decimal number as an integer scaled by 10^scale. Digits past the scale are only ok if they are
// zeros; more than precision digits are not ok.
func Decimal(b []byte, precision, scale int) (v int64, ok bool) {
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i = 1
	}
	digits, places := 0, -1 // digits seen; digits after the point, -1 before it
	for _, c := range b[i:] {
		d := c - '0'
		switch {
		case d <= 9 && places == scale:
			digits++
			if d != 0 {
				return 0, false
			}
		case d <= 9:
			if v > math.MaxInt64/10-1 {
				return 0, false
			}
			v = v*10 + int64(d)
			digits++
			if places >= 0 {
				places++
			}
		case c == '.' && places < 0:
			places = 0
		default:
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	for places = max(places, 0); places < scale; places++ {
		if v > math.MaxInt64/10-1 {
			return 0, false
		}
		v *= 10
	}
	if v >= tens[precision] {
		return 0, false
	}
	if b[0] == '-' {
		v = -v
	}
	return v, true
}

// tens holds 10^i; decimals have at most 18 digits.
var tens = [19]int64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// Ten returns 10^i for i from 0 to 18.
func Ten(i int) int64 { return tens[i] }

// Boolean reads true, false, t, f, yes, no, y, n, 1 and 0 in any letter case.
func Boolean(b []byte) (v, ok bool) {
	switch len(b) {
	case 1:
		switch b[0] {
		case 't', 'T', 'y', 'Y', '1':
			return true, true
		case 'f', 'F', 'n', 'N', '0':
			return false, true
		}
	case 2:
		return false, fold(b, "no")
	case 3:
		return true, fold(b, "yes")
	case 4:
		return true, fold(b, "true")
	case 5:
		return false, fold(b, "false")
	}
	return false, false
}

// fold reports whether b is the lower-case ASCII word in any letter case.
func fold(b []byte, word string) bool {
	for i := range b {
		if b[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}
