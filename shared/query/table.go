package query

import (
	"bufio"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sampleRows are looked at to find the columns' widths; later rows may stick out.
const sampleRows = 1000

// tableWriter writes aligned columns for a terminal. Control characters are escaped, so that data cannot steer it.
type tableWriter struct {
	out    *bufio.Writer
	cols   []Column
	widths []int
	held   [][]string
	opened bool
}

func (t *tableWriter) begin(cols []Column) error {
	t.cols = cols
	t.widths = make([]int, len(cols))
	for i, c := range cols {
		t.widths[i] = utf8.RuneCountInString(printable(c.Name))
	}
	return nil
}

func (t *tableWriter) row(cells []Cell) error {
	line := make([]string, len(cells))
	for i, c := range cells {
		if line[i] = "NULL"; !c.Null {
			line[i] = printable(c.Text)
		}
	}
	if t.opened {
		return t.line(line)
	}
	for i, s := range line {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(s))
	}
	if t.held = append(t.held, line); len(t.held) < sampleRows {
		return nil
	}
	return t.open()
}

// open writes the header and the rows held back.
func (t *tableWriter) open() error {
	t.opened = true
	names := make([]string, len(t.cols))
	rules := make([]string, len(t.cols))
	for i, c := range t.cols {
		names[i] = printable(c.Name)
		rules[i] = strings.Repeat("-", t.widths[i]+2)
	}
	if err := t.line(names); err != nil {
		return err
	}
	if _, err := t.out.WriteString(strings.Join(rules, "+") + "\n"); err != nil {
		return err
	}
	for _, line := range t.held {
		if err := t.line(line); err != nil {
			return err
		}
	}
	t.held = nil
	return nil
}

func (t *tableWriter) line(cells []string) error {
	var b strings.Builder
	for i, s := range cells {
		if i > 0 {
			b.WriteString(" |")
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-utf8.RuneCountInString(s)))
		if t.cols[i].Kind == Number {
			b.WriteString(" " + pad + s)
		} else {
			b.WriteString(" " + s + pad)
		}
	}
	_, err := t.out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	return err
}

func (t *tableWriter) end(rows int64) error {
	if !t.opened {
		if err := t.open(); err != nil {
			return err
		}
	}
	s := "s"
	if rows == 1 {
		s = ""
	}
	_, err := fmt.Fprintf(t.out, "(%d row%s)\n", rows, s)
	return err
}

// printable escapes what would move the cursor or colour the screen.
func printable(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
