package layout

import "medlake/shared/transform/column"

// hl7 reads YYYY[MM[DD[HH[MM[SS[.S[S[S[S…]]]]]]]]][±ZZZZ]. What is left out is the first month, day, or midnight.
func hl7(b []byte) (column.Time, bool) {
	digits := 0
	for digits < len(b) && b[digits]-'0' <= 9 {
		digits++
	}
	if digits < 4 || digits > 14 || digits%2 != 0 {
		return column.Time{}, false
	}
	n := [7]int{1: 0, 2: 1, 3: 1} // century, year, month, day, hour, minute, second
	for i := range digits / 2 {
		n[i], _ = two(b[2*i:])
	}
	days, ok := column.Days(n[0]*100+n[1], n[2], n[3])
	if !ok || n[4] > 23 || n[5] > 59 || n[6] > 59 {
		return column.Time{}, false
	}
	t := column.Time{Wall: days*column.MicrosPerDay + int64(n[4]*3600+n[5]*60+n[6])*1_000_000}
	b = b[digits:]
	if digits == 14 && len(b) > 1 && b[0] == '.' {
		f, n := column.Fraction(b[1:])
		if n == 0 {
			return column.Time{}, false
		}
		t.Wall += f
		b = b[1+n:]
	}
	if len(b) == 0 {
		return t, true
	}
	var size int
	t.Offset, size, t.Zoned = column.Offset(b)
	return t, t.Zoned && size == len(b)
}
