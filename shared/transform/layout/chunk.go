package layout

import "strings"

type kind uint8

const (
	none kind = iota
	literal
	year4     // 2006
	year2     // 06
	month     // 1
	monthTwo  // 01
	monthName // Jan
	monthLong // January
	weekday   // Mon
	weekLong  // Monday
	day       // 2
	dayUnder  // _2
	dayTwo    // 02
	hour      // 15
	hour12    // 3
	hour12Two // 03
	minute    // 4
	minuteTwo // 04
	second    // 5
	secondTwo // 05
	half      // PM or pm
	fraction0 // .000
	fraction9 // .999
	offset    // -0700
	offsetCol // -07:00
	offsetTwo // -07
	zulu      // Z0700
	zuluCol   // Z07:00
	zuluTwo   // Z07
	zoneName  // MST
	unsupported
)

// step reads one element of a layout.
type step struct {
	kind kind
	text string // literal
	n    int    // fraction0: digits
	frac bool   // a second that is followed by a fraction of the layout
}

// words lists the elements of package time's layouts by their first byte, longest first where one begins another.
var words = map[byte][]struct {
	text string
	kind kind
}{
	'J': {{"January", monthLong}, {"Jan", monthName}},
	'M': {{"Monday", weekLong}, {"Mon", weekday}, {"MST", zoneName}},
	'0': {{"002", unsupported}, {"01", monthTwo}, {"02", dayTwo}, {"03", hour12Two}, {"04", minuteTwo}, {"05", secondTwo}, {"06", year2}},
	'1': {{"15", hour}, {"1", month}},
	'2': {{"2006", year4}, {"2", day}},
	'_': {{"__2", unsupported}, {"_2", dayUnder}},
	'3': {{"3", hour12}},
	'4': {{"4", minute}},
	'5': {{"5", second}},
	'P': {{"PM", half}},
	'p': {{"pm", half}},
	'-': {{"-070000", unsupported}, {"-07:00:00", unsupported}, {"-0700", offset}, {"-07:00", offsetCol}, {"-07", offsetTwo}},
	'Z': {{"Z070000", unsupported}, {"Z07:00:00", unsupported}, {"Z0700", zulu}, {"Z07:00", zuluCol}, {"Z07", zuluTwo}},
}

// chunk cuts the first element off a layout: the literal text before it, the element, and the rest.
func chunk(s string) (prefix string, e step, rest string) {
	for i := range len(s) {
		if s[i] == '.' || s[i] == ',' {
			if n, k := fractionAt(s[i:]); n > 0 {
				return s[:i], step{kind: k, n: n}, s[i+1+n:]
			}
			continue
		}
		for _, w := range words[s[i]] {
			if !strings.HasPrefix(s[i:], w.text) {
				continue
			}
			after := s[i+len(w.text):]
			switch w.kind {
			case monthName, weekday:
				if after != "" && 'a' <= after[0] && after[0] <= 'z' {
					continue // Janet
				}
			case dayUnder:
				if strings.HasPrefix(s[i+1:], "2006") {
					return s[:i+1], step{kind: year4}, s[i+5:]
				}
			}
			return s[:i], step{kind: w.kind, frac: startsWithFraction(after)}, after
		}
	}
	return s, step{}, ""
}

// fractionAt counts the equal digits 0 or 9 after a point, if no other digit follows them.
func fractionAt(s string) (n int, k kind) {
	if len(s) < 2 || s[1] != '0' && s[1] != '9' {
		return 0, none
	}
	j := 1
	for j < len(s) && s[j] == s[1] {
		j++
	}
	if j < len(s) && '0' <= s[j] && s[j] <= '9' {
		return 0, none
	}
	if s[1] == '0' {
		return j - 1, fraction0
	}
	return j - 1, fraction9
}

func startsWithFraction(after string) bool {
	if after == "" || after[0] != '.' && after[0] != ',' {
		return false
	}
	n, _ := fractionAt(after)
	return n > 0
}
