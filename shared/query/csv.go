package query

import (
	"bufio"
	"strings"
)

// csvWriter writes RFC 4180. A cell that a spreadsheet would run as a formula gets a ' in front.
type csvWriter struct {
	out  *bufio.Writer
	cols []Column
}

func (c *csvWriter) begin(cols []Column) error {
	c.cols = cols
	cells := make([]Cell, len(cols))
	for i, col := range cols {
		cells[i].Text = col.Name
	}
	return c.write(cells, func(int) bool { return false })
}

func (c *csvWriter) row(cells []Cell) error {
	return c.write(cells, func(i int) bool { return c.cols[i].Kind == Number })
}

func (c *csvWriter) end(int64) error { return nil }

func (c *csvWriter) write(cells []Cell, numeric func(int) bool) error {
	for i, cell := range cells {
		if i > 0 {
			_ = c.out.WriteByte(',') // bufio keeps the error for the last write
		}
		if cell.Null {
			continue
		}
		text := cell.Text
		if !numeric(i) && formula(text) {
			text = "'" + text
		}
		if text == "" || strings.ContainsAny(text, ",\"\r\n") || text[0] == ' ' || text[len(text)-1] == ' ' {
			text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
		_, _ = c.out.WriteString(text)
	}
	if len(cells) == 1 && cells[0].Null {
		_, _ = c.out.WriteString(`""`) // an empty line is no row
	}
	return c.out.WriteByte('\n')
}

// formula reports whether a spreadsheet would run the text.
func formula(s string) bool {
	return s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 && !number(s)
}
