package transform

import (
	"strings"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// scope is what names mean in an expression.
type scope interface {
	find(name string) op // nil: nothing is called that
	names() []string     // for did-you-mean
	what() string        // what names are called here: field, column
}

// fields is the scope of `set` and `when`: the source's fields, and what `from` captured. Letter case is ignored.
type fields struct {
	slots    map[string]int // lower-case name -> slot; -1: known, but not wanted yet
	known    []string       // names as written
	open     bool           // the source's names are not known before it is read: any name is a field
	want     func(name string) int
	optional func(name string) op // a field that may be there or not; nil: there are none
	captures []string
	used     map[int]struct{} // slots the table uses
}

func (s *fields) find(name string) op {
	key := strings.ToLower(name)
	slot, ok := s.slots[key]
	if !ok {
		for i, c := range s.captures {
			if strings.EqualFold(c, name) {
				return capture{i}
			}
		}
		if !s.open {
			return nil
		}
	}
	if !ok || slot < 0 {
		slot = s.want(name)
		s.slots[key] = slot
	}
	s.used[slot] = struct{}{}
	return field{slot}
}

// nameOf is the name of a slot as an author writes it.
func (s *fields) nameOf(slot int) string {
	name := ""
	for key, n := range s.slots {
		if n == slot && (name == "" || key < name) {
			name = key
		}
	}
	return name
}

func (s *fields) names() []string { return append(append([]string(nil), s.known...), s.captures...) }
func (s *fields) what() string    { return "field" }

// columns is the scope of checks and `change`: the table's columns.
type columns struct{ table *metadata.Table }

func (s columns) find(name string) op {
	for i, c := range s.table.Schema().Columns {
		if c.Name == name {
			switch name {
			case lake.ColCustomer:
				return system{boundCustomer}
			case lake.ColLoad:
				return system{boundLoad}
			case lake.ColArrivedAt:
				return system{boundArrived}
			}
			return cell{index: i, kind: kindOf(c.Type.Kind), scale: uint8(c.Type.Scale)}
		}
	}
	return nil
}

func (s columns) names() []string {
	var out []string
	for _, c := range s.table.Schema().Columns {
		out = append(out, c.Name)
	}
	return out
}

func (s columns) what() string { return "column" }

// system is a system column that is the same in all rows of a run and filled when a batch is full.
type system struct{ which int }

const (
	boundCustomer = iota
	boundLoad
	boundArrived
)

func (o system) eval(f *frame) value {
	switch o.which {
	case boundCustomer:
		return textOf(f.bindings.customerID)
	case boundLoad:
		return textOf(f.bindings.load)
	}
	return value{kind: timestamp, num: f.bindings.arrived}
}

func (o system) result() kind {
	if o.which == boundArrived {
		return timestamp
	}
	return text
}
