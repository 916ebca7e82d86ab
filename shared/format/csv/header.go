package csv

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"medlake/shared/lake"
)

// header maps the columns of a text to the slots of the wanted fields.
type header struct {
	wanted  []string // folded
	raw     []byte   // the header line the rest was made from
	names   []string
	slot    []int // by column
	slots   int
	missing []int
	extra   []string
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func (h *header) want(fields []string) {
	for _, f := range fields {
		h.wanted = append(h.wanted, fold(f))
	}
	h.set(nil)
}

// set takes the names of a text's columns.
func (h *header) set(names []string) {
	place := make(map[string]int, len(h.wanted)) // of the wanted fields
	for i, w := range h.wanted {
		place[w] = i
	}
	found := make([]bool, len(h.wanted))
	taken := make(map[string]bool, len(names)) // by extra names
	h.names, h.slot, h.missing, h.extra = names, h.slot[:0], nil, nil
	for i, name := range names {
		if s, ok := place[fold(name)]; ok && !found[s] {
			found[s] = true
			h.slot = append(h.slot, s)
			continue
		}
		name = strings.TrimSpace(name)
		if name == "" {
			name = fmt.Sprintf("column_%d", i+1)
		}
		_, again := place[fold(name)]
		for again || taken[fold(name)] {
			name, again = fmt.Sprintf("%s_%d", name, i+1), false
		}
		taken[fold(name)] = true
		h.slot = append(h.slot, len(h.wanted)+len(h.extra))
		h.extra = append(h.extra, name)
	}
	for i, ok := range found {
		if !ok {
			h.missing = append(h.missing, i)
		}
	}
	h.slots = len(h.wanted) + len(h.extra)
}

// header reads the header line, if the text has one. A last name that is empty comes from a trailing delimiter and is no
// column.
func (d *Decoder) header() error {
	if d.cfg.NoHeader {
		if d.head.names == nil {
			d.head.set(d.cfg.Columns)
		}
		return nil
	}
	n, next, err := d.record(nil, nil)
	if err == io.EOF {
		d.head.raw = d.head.raw[:0]
		d.head.set(d.cfg.Columns)
		return nil
	}
	if err != nil {
		return err
	}
	raw := d.buf[d.pos:next]
	if len(d.head.raw) == 0 || !bytes.Equal(raw, d.head.raw) {
		if bytes.IndexByte(raw, 0) >= 0 { // UTF-16 without a byte order mark, or no text at all
			return lake.Refuse(lake.Undecodable, -1).At(d.line)
		}
		if d.row.Fault != "" {
			return lake.Refuse(lake.Malformed, -1).At(d.line)
		}
		names := d.cfg.Columns
		if names == nil {
			names = d.names(n)
		}
		d.head.raw = append(d.head.raw[:0], raw...)
		d.head.set(names)
	}
	d.consume(next)
	return nil
}

// names parses the record at the start of the window, which has n fields and is whole, as names.
func (d *Decoder) names(n int) []string {
	fields, slots := make([][]byte, n), make([]int, n)
	for i := range slots {
		slots[i] = i
	}
	d.scan(fields, slots)
	if d.empty && n > 1 {
		fields = fields[:n-1]
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = strings.TrimSpace(string(f))
	}
	return names
}
