package query

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"medlake/shared/lake"
)

// Format is a way to write a result.
type Format string

// The formats.
const (
	AsTable Format = "table" // aligned columns and a line that counts the rows, for people at a terminal
	AsCSV   Format = "csv"   // RFC 4180 with a header and line feeds; null is empty, empty text is ""; safe to open in a spreadsheet
	AsJSON  Format = "json"  // one array with an object a row, each on a line of its own; numbers exact, times as RFC 3339
)

// ParseFormat reads a format's name; empty means a table.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case "":
		return AsTable, nil
	case AsTable, AsCSV, AsJSON:
		return f, nil
	}
	return "", fmt.Errorf("%q is not one of table, csv, json: %w", s, lake.ErrInvalid)
}

// rowWriter writes one result.
type rowWriter interface {
	begin(cols []Column) error
	row(cells []Cell) error
	end(rows int64) error
}

// Write writes the rows of r as they come and returns how many there were. After an error the output is cut: a table has
// no count, JSON no end. It does not close r.
func Write(w io.Writer, r *Result, as Format) (rows int64, err error) {
	out := bufio.NewWriterSize(w, 64<<10)
	var rw rowWriter
	switch as {
	case AsCSV:
		rw = &csvWriter{out: out}
	case AsJSON:
		rw = &jsonWriter{out: out}
	default:
		rw = &tableWriter{out: out}
	}
	if err := rw.begin(r.Columns); err != nil {
		return 0, fmt.Errorf("write result: %w", err)
	}
	for cells, err := range r.Rows {
		if err != nil {
			_ = out.Flush() // the statement's error says more
			return rows, err
		}
		if err := rw.row(cells); err != nil {
			return rows, fmt.Errorf("write result: %w", err)
		}
		rows++
	}
	if err := rw.end(rows); err != nil {
		return rows, fmt.Errorf("write result: %w", err)
	}
	if err := out.Flush(); err != nil {
		return rows, fmt.Errorf("write result: %w", err)
	}
	return rows, nil
}

// number reports whether s is a number as spreadsheets read it.
func number(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
