package column

const microsPerSecond = 1_000_000

// MicrosPerDay is the number of microseconds of a day.
const MicrosPerDay = 86_400 * microsPerSecond

// Date reads 2006-01-02 as days since 1970-01-01.
func Date(b []byte) (days int64, ok bool) {
	if len(b) != 10 {
		return 0, false
	}
	return isoDate(b)
}

// Days returns the days from 1970-01-01 to a date of the Gregorian calendar, counting in eras of 400 years that begin in
// March (Howard Hinnant, "chrono-compatible low-level date algorithms"). ok is false if there is no such date.
func Days(year, month, day int) (days int64, ok bool) {
	if month < 1 || month > 12 || day < 1 || day > monthDays[month] || month == 2 && day == 29 && !leap(year) {
		return 0, false
	}
	y := int64(year)
	if month <= 2 {
		y--
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	ofEra := y - era*400
	ofYear := (153*((int64(month)+9)%12)+2)/5 + int64(day) - 1
	return era*146_097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719_468, true
}

var monthDays = [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

// Time is a moment as it was written: the wall clock, and the offset if there was one.
type Time struct {
	Wall   int64 // microseconds since 1970-01-01 of the wall clock
	Offset int64 // seconds east of UTC
	Zoned  bool  // an offset was written
}

// UTC is the moment in microseconds since 1970-01-01 UTC; without an offset the wall clock counts as UTC.
func (t Time) UTC() int64 { return t.Wall - t.Offset*microsPerSecond }

// Days is the date on the wall, in days since 1970-01-01.
func (t Time) Days() int64 {
	d := t.Wall / MicrosPerDay
	if t.Wall%MicrosPerDay < 0 {
		d--
	}
	return d
}

// Timestamp reads an ISO 8601 date and time: 2006-01-02, then T or a space, 15:04, then optional seconds with an optional
// fraction (digits past microseconds are cut), then an optional Z or offset (-07:00, -0700, -07). A date alone is its
// midnight.
func Timestamp(b []byte) (t Time, ok bool) {
	if len(b) < 10 {
		return t, false
	}
	days, ok := isoDate(b)
	if !ok {
		return t, false
	}
	t.Wall = days * MicrosPerDay
	if len(b) == 10 {
		return t, true
	}
	if len(b) < 16 || b[10] != 'T' && b[10] != ' ' && b[10] != 't' || b[13] != ':' {
		return t, false
	}
	h, ok1 := two(b[11:])
	m, ok2 := two(b[14:])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return t, false
	}
	t.Wall += int64(h*3600+m*60) * microsPerSecond
	b = b[16:]
	if len(b) >= 3 && b[0] == ':' {
		s, ok := two(b[1:])
		if !ok || s > 59 {
			return t, false
		}
		t.Wall += int64(s) * microsPerSecond
		b = b[3:]
		if len(b) >= 2 && (b[0] == '.' || b[0] == ',') {
			f, n := Fraction(b[1:])
			if n == 0 {
				return t, false
			}
			t.Wall += f
			b = b[1+n:]
		}
	}
	if len(b) == 0 {
		return t, true
	}
	if b[0] == ' ' {
		b = b[1:]
	}
	var n int
	t.Offset, n, t.Zoned = Offset(b)
	return t, t.Zoned && n == len(b)
}

// Fraction reads the digits after a decimal point as microseconds; n is how many there are.
func Fraction(b []byte) (micros int64, n int) {
	unit := int64(100_000)
	for n < len(b) && b[n]-'0' <= 9 {
		micros += int64(b[n]-'0') * unit
		unit /= 10
		n++
	}
	return micros, n
}

// Offset reads Z, -07:00, -0700 or -07 at the start of b as seconds east of UTC; n is its length.
func Offset(b []byte) (seconds int64, n int, ok bool) {
	if len(b) > 0 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, 1, true
	}
	if len(b) < 3 || b[0] != '+' && b[0] != '-' {
		return 0, 0, false
	}
	h, ok := two(b[1:])
	if !ok || h > 23 {
		return 0, 0, false
	}
	n, m := 3, 0
	rest := b[3:]
	if len(rest) >= 3 && rest[0] == ':' {
		m, ok = two(rest[1:])
		n = 6
	} else if len(rest) >= 2 && rest[0]-'0' <= 9 {
		m, ok = two(rest)
		n = 5
	}
	if !ok || m > 59 {
		return 0, 0, false
	}
	seconds = int64(h*3600 + m*60)
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, n, true
}

func isoDate(b []byte) (int64, bool) {
	if b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	c, ok1 := two(b)
	y, ok2 := two(b[2:])
	m, ok3 := two(b[5:])
	d, ok4 := two(b[8:])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, false
	}
	return Days(c*100+y, m, d)
}

func two(b []byte) (int, bool) {
	x, y := b[0]-'0', b[1]-'0'
	return int(x)*10 + int(y), x <= 9 && y <= 9
}
