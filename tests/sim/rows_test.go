package sim

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing/fstest"

	"medlake/functions/merge"
	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// row is a row of any table of a simulation; what the table lacks is empty. An empty text is null, and none a null number.
type row struct {
	Customer, Load, Word, ID, Event, Name, Bed string
	N, Arrived, At                             int64
}

const none = -1

// text is where a column's text stands in a row; nil: it has none.
func (r *row) text(column string) *string {
	switch column {
	case lake.ColCustomer:
		return &r.Customer
	case lake.ColLoad:
		return &r.Load
	case "word", "table_name", "arrival":
		return &r.Word
	case "id":
		return &r.ID
	case "event":
		return &r.Event
	case "name":
		return &r.Name
	case "bed":
		return &r.Bed
	}
	return nil
}

func (r *row) number(column string) *int64 {
	switch column {
	case lake.ColRow:
		return &r.N
	case lake.ColArrivedAt:
		return &r.Arrived
	case "at", "epoch":
		return &r.At
	}
	return nil
}

// append adds the row to a batch of its table.
func (r *row) append(b *column.Batch) {
	for i := range b.Columns {
		c := &b.Columns[i]
		text, number := r.text(c.Name), r.number(c.Name)
		switch {
		case text != nil && *text != "":
			c.AppendString(*text)
		case number != nil && *number != none:
			c.AppendInt(*number)
		case c.Name == "rule":
			c.AppendString("type")
		case c.Name == lake.ColEntry:
			c.AppendInt(0)
		default:
			c.AppendNull()
		}
	}
	b.EndRow()
}

// rowsOf reads a file of a table; what was read is kept, because files never change.
func (w *world) rowsOf(s lake.Schema, path string) ([]row, error) {
	if rows, ok := w.files[path]; ok {
		return rows, nil
	}
	data, err := w.object(path)
	if err != nil {
		return nil, err
	}
	f, err := datafile.OpenReader(bytes.NewReader(data), int64(len(data)), s)
	if err != nil {
		return nil, err
	}
	rows := make([]row, f.Rows())
	var probe row
	var columns []lake.Column
	for _, c := range s.Columns {
		if probe.text(c.Name) != nil || probe.number(c.Name) != nil {
			columns = append(columns, c)
		}
	}
	b := column.New(columns)
	for g := range f.Groups() {
		for _, c := range columns {
			if err := f.Read(g, []string{c.Name}, b); err != nil {
				return nil, err
			}
		}
	}
	for i := range b.Columns {
		c, next := &b.Columns[i], 0
		for at := range rows {
			text, number := rows[at].text(c.Name), rows[at].number(c.Name)
			switch {
			case c.Valid[at] == 0 && number != nil:
				*number = none
			case c.Valid[at] == 0:
			case text != nil:
				*text = string(c.Text(next))
			default:
				*number = c.Ints[next]
			}
			next += int(c.Valid[at])
		}
	}
	w.files[path] = rows
	return rows, nil
}

func (w *world) object(path string) ([]byte, error) {
	key, err := w.base.Key(path)
	if err != nil {
		return nil, err
	}
	return w.base.Get(w.ctx, key)
}

// visible reads the rows that a table shows.
func (w *world) visible(s lake.Schema, files []warehouse.LiveFile) (rows []row, err error) {
	for _, f := range files {
		hidden := map[int64]bool{}
		for _, d := range f.Deletes {
			if err := w.deletesOf(d.Path, f.Path, hidden); err != nil {
				return nil, err
			}
		}
		all, err := w.rowsOf(s, f.Path)
		if err != nil {
			return nil, err
		}
		if int64(len(all)) != f.Rows {
			return nil, errors.New("a file has not as many rows as its table says")
		}
		for i, r := range all {
			if !hidden[int64(i)] {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// deletesOf reads which rows of a data file a delete file hides.
func (w *world) deletesOf(path, of string, hidden map[int64]bool) error {
	all, ok := w.deletes[path]
	if !ok {
		data, err := w.object(path)
		if err != nil {
			return err
		}
		all = []datafile.Position{}
		if err := datafile.ReadDeletes(bytes.NewReader(data), int64(len(data)), func(p []byte, row int64) {
			all = append(all, datafile.Position{Path: string(p), Row: row})
		}); err != nil {
			return err
		}
		w.deletes[path] = all
	}
	for _, d := range all {
		if d.Path == of {
			hidden[d.Row] = true
		}
	}
	return nil
}

// differ compares rows in any order; "" if they are the same.
func differ(got, want []row) string {
	sort := func(rows []row) []row {
		rows = slices.Clone(rows)
		slices.SortFunc(rows, func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return rows
	}
	count := map[row]int{}
	for _, r := range got {
		count[r]++
	}
	for _, r := range want {
		count[r]--
	}
	for _, n := range count {
		if n != 0 {
			return fmt.Sprintf("shows\n%+v\nwant\n%+v", sort(got), sort(want))
		}
	}
	return ""
}

func changeOf(yaml string) (merge.Table, error) {
	l, faults := transform.Load(fstest.MapFS{"tables/v.yaml": {Data: []byte(yaml)}})
	if len(faults) > 0 {
		return merge.Table{}, fmt.Errorf("%v", faults)
	}
	t := l.Set().Tables[0]
	return merge.Changing(t, l.Fold(t)), nil
}
