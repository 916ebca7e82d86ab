package query

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
)

// jsonWriter writes one array with an object a row.
type jsonWriter struct {
	out  *bufio.Writer
	cols []Column
	keys [][]byte // `"name":`, each once
	buf  bytes.Buffer
	rows int64
}

func (j *jsonWriter) begin(cols []Column) error {
	j.cols = cols
	seen := map[string]bool{}
	for _, c := range cols {
		name := c.Name
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s_%d", c.Name, n)
		}
		seen[name] = true
		j.buf.Reset()
		if err := j.text(name); err != nil {
			return err
		}
		j.keys = append(j.keys, append(bytes.Clone(j.buf.Bytes()), ':'))
	}
	return j.out.WriteByte('[')
}

func (j *jsonWriter) row(cells []Cell) error {
	j.buf.Reset()
	if j.rows++; j.rows > 1 {
		j.buf.WriteByte(',')
	}
	j.buf.WriteString("\n{")
	for i, c := range cells {
		if i > 0 {
			j.buf.WriteByte(',')
		}
		j.buf.Write(j.keys[i])
		switch {
		case c.Null:
			j.buf.WriteString("null")
		case (j.cols[i].Kind == Number || j.cols[i].Kind == Boolean || j.cols[i].Kind == JSON) && json.Valid([]byte(c.Text)):
			j.buf.WriteString(c.Text)
		default: // also NaN and the infinities, which JSON has no numbers for
			if err := j.text(c.Text); err != nil {
				return err
			}
		}
	}
	j.buf.WriteByte('}')
	_, err := j.out.Write(j.buf.Bytes())
	return err
}

func (j *jsonWriter) end(rows int64) error {
	if rows > 0 {
		_ = j.out.WriteByte('\n')
	}
	_, err := j.out.WriteString("]\n")
	return err
}

// text appends s as a JSON string.
func (j *jsonWriter) text(s string) error {
	e := json.NewEncoder(&j.buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return err
	}
	j.buf.Truncate(j.buf.Len() - 1) // the encoder's line feed
	return nil
}
