package layout

import "medlake/shared/transform/column"

// parts is what a text said so far.
type parts struct {
	year, month, day int
	hour, min, sec   int
	micros           int64
	pm, am           bool
	offset           int64
	zoned            bool
	rest             []byte
}

// walk reads b step by step, with the same leniency as time.Parse, but AM and PM in any letter case.
func (l *Layout) walk(b []byte) (column.Time, bool) {
	p := parts{month: 1, day: 1, rest: b}
	for i := range l.steps {
		if !p.take(&l.steps[i]) {
			return column.Time{}, false
		}
	}
	if len(p.rest) > 0 {
		return column.Time{}, false
	}
	if p.pm && p.hour < 12 {
		p.hour += 12
	} else if p.am && p.hour == 12 {
		p.hour = 0
	}
	days, ok := column.Days(p.year, p.month, p.day)
	if !ok {
		return column.Time{}, false
	}
	wall := days*column.MicrosPerDay + int64(p.hour*3600+p.min*60+p.sec)*1_000_000 + p.micros
	return column.Time{Wall: wall, Offset: p.offset, Zoned: p.zoned}, true
}

func (p *parts) take(s *step) (ok bool) {
	switch s.kind {
	case literal:
		return p.skip(s.text)
	case year4:
		if len(p.rest) < 4 {
			return false
		}
		a, ok1 := two(p.rest)
		b, ok2 := two(p.rest[2:])
		p.year, p.rest = a*100+b, p.rest[4:]
		return ok1 && ok2
	case year2:
		if p.year, ok = p.number(true, 0, 99); p.year >= 69 {
			p.year += 1900
		} else {
			p.year += 2000
		}
		return ok
	case month, monthTwo:
		p.month, ok = p.number(s.kind == monthTwo, 1, 12)
	case monthName, monthLong:
		p.month, ok = p.name(months[:], s.kind == monthName)
	case weekday, weekLong:
		_, ok = p.name(weekdays[:], s.kind == weekday)
	case day, dayTwo, dayUnder:
		if s.kind == dayUnder && len(p.rest) > 0 && p.rest[0] == ' ' {
			p.rest = p.rest[1:]
		}
		p.day, ok = p.number(s.kind == dayTwo, 1, 31)
	case hour:
		p.hour, ok = p.number(false, 0, 23)
	case hour12, hour12Two:
		p.hour, ok = p.number(s.kind == hour12Two, 0, 12)
	case minute, minuteTwo:
		p.min, ok = p.number(s.kind == minuteTwo, 0, 59)
	case second, secondTwo:
		if p.sec, ok = p.number(s.kind == secondTwo, 0, 59); ok && !s.frac {
			p.fraction() // a fraction the layout does not mention is taken all the same
		}
	case fraction9:
		p.fraction()
		return true
	case fraction0:
		return p.exactFraction(s.n)
	case half:
		return p.halfDay()
	default:
		return p.takeOffset(s.kind)
	}
	return ok
}

// skip takes literal text; a run of spaces takes any number of spaces.
func (p *parts) skip(text string) bool {
	for len(text) > 0 {
		if text[0] == ' ' {
			if len(p.rest) > 0 && p.rest[0] != ' ' {
				return false
			}
			for len(text) > 0 && text[0] == ' ' {
				text = text[1:]
			}
			for len(p.rest) > 0 && p.rest[0] == ' ' {
				p.rest = p.rest[1:]
			}
			continue
		}
		if len(p.rest) == 0 || p.rest[0] != text[0] {
			return false
		}
		text, p.rest = text[1:], p.rest[1:]
	}
	return true
}

// number takes two digits, or one if fixed is false and no second follows.
func (p *parts) number(fixed bool, low, high int) (int, bool) {
	b := p.rest
	if len(b) == 0 || b[0]-'0' > 9 {
		return 0, false
	}
	n := int(b[0] - '0')
	if len(b) > 1 && b[1]-'0' <= 9 {
		n = n*10 + int(b[1]-'0')
		p.rest = b[2:]
	} else if fixed {
		return 0, false
	} else {
		p.rest = b[1:]
	}
	return n, low <= n && n <= high
}

var (
	months   = [...]string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
)

// name takes one of the words, or its first three letters if short, in any letter case; the result counts from 1.
func (p *parts) name(words []string, short bool) (int, bool) {
	for i, w := range words {
		if short {
			w = w[:3]
		}
		if len(p.rest) >= len(w) && sameLetters(p.rest[:len(w)], w) {
			p.rest = p.rest[len(w):]
			return i + 1, true
		}
	}
	return 0, false
}

func sameLetters(b []byte, lower string) bool {
	for i := range b {
		if b[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// fraction takes a point or comma and digits, if they are there.
func (p *parts) fraction() {
	if b := p.rest; len(b) >= 2 && (b[0] == '.' || b[0] == ',') && b[1]-'0' <= 9 {
		var n int
		p.micros, n = column.Fraction(b[1:])
		p.rest = b[1+n:]
	}
}

func (p *parts) exactFraction(digits int) bool {
	b := p.rest
	if len(b) < 1+digits || b[0] != '.' && b[0] != ',' {
		return false
	}
	f, n := column.Fraction(b[1 : 1+digits])
	p.micros, p.rest = f, b[1+digits:]
	return n == digits
}

func (p *parts) halfDay() bool {
	if len(p.rest) < 2 || p.rest[1]|0x20 != 'm' {
		return false
	}
	switch p.rest[0] | 0x20 {
	case 'a':
		p.am = true
	case 'p':
		p.pm = true
	default:
		return false
	}
	p.rest = p.rest[2:]
	return true
}

func (p *parts) takeOffset(k kind) bool {
	b := p.rest
	p.zoned = true
	size, colon := 5, false
	switch k {
	case zulu, zuluCol, zuluTwo:
		if len(b) > 0 && b[0] == 'Z' {
			p.rest = b[1:]
			return true
		}
	}
	switch k {
	case offsetCol, zuluCol:
		size, colon = 6, true
	case offsetTwo, zuluTwo:
		size = 3
	}
	if len(b) < size || colon != (size == 6 && b[3] == ':') {
		return false
	}
	seconds, n, ok := column.Offset(b[:size])
	p.offset, p.rest = seconds, b[size:]
	return ok && n == size && b[0] != 'Z' && b[0] != 'z'
}

func two(b []byte) (int, bool) {
	x, y := b[0]-'0', b[1]-'0'
	return int(x)*10 + int(y), x <= 9 && y <= 9
}
