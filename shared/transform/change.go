package transform

import (
	"fmt"
	"slices"
	"sync"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
)

// Fold is the fold of a table that changes; nil if the table does not, or if its metadata has faults.
func (l *Library) Fold(t *metadata.Table) *fold.Fold { return l.folds[t.ID()] }

// changeOf compiles the `change` of a table.
func changeOf(set *metadata.Set, t *metadata.Table) (*fold.Fold, []metadata.Fault) {
	scope := &versions{table: t}
	var faults []metadata.Fault
	condition := func(what string, e metadata.Text) fold.Condition {
		if e.Value == "" {
			return nil
		}
		o, err := compileRule(set, scope, e.Value)
		if err != nil {
			faults = append(faults, metadata.Fault{Pos: e.Pos, Message: fmt.Sprintf("%s: %v", what, err)})
			return nil
		}
		return holds(o)
	}
	c := fold.Conditions{Delete: condition("delete", t.Change.Delete), Only: map[string]fold.Condition{}}
	for _, o := range t.Change.Only {
		c.Only[o.Name] = condition("only "+o.Name, o.Text)
	}
	if m := t.Change.MergeOn; m != nil {
		c.Merge = condition("merge_on", m.When)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	c.Names = scope.wanted
	return fold.New(t, c), nil
}

// compileRule compiles an expression that is true or false.
func compileRule(set *metadata.Set, s scope, src string) (op, error) {
	o, err := (&lowerer{set: set, scope: s}).compile(src)
	if err == nil {
		if k := o.result(); k != boolean && k != unknown && k != text {
			err = fmt.Errorf("the rule is neither true nor false, it gives a %s", kindNames[k])
		}
	}
	return o, err
}

// holds makes a condition of an expression. What is null or does not fit does not hold.
func holds(o op) fold.Condition {
	frames := sync.Pool{New: func() any { return &frame{} }}
	return func(r *fold.Rows, row int) bool {
		f := frames.Get().(*frame)
		f.next(nil)
		f.versions, f.version = r, row
		ok := truth(o.eval(f)).isTrue()
		f.versions = nil
		frames.Put(f)
		return ok
	}
}

// versions is the scope of `change`: the table's columns, in any row of a batch.
type versions struct {
	table  *metadata.Table
	wanted []string
}

func (s *versions) find(name string) op {
	for _, c := range s.table.Schema().Columns {
		if c.Name != name {
			continue
		}
		i := slices.Index(s.wanted, name)
		if i < 0 {
			i = len(s.wanted)
			s.wanted = append(s.wanted, name)
		}
		return versionCell{index: i, kind: kindOf(c.Type.Kind), scale: uint8(c.Type.Scale)}
	}
	return nil
}

func (s *versions) names() []string { return columns{s.table}.names() }
func (s *versions) what() string    { return "column" }

// versionCell is a column of a version.
type versionCell struct {
	index int
	kind  kind
	scale uint8
}

func (o versionCell) eval(f *frame) value {
	c, i := f.versions.Value(o.index, f.version)
	if i < 0 {
		return value{}
	}
	return valueOf(c, i, o.kind, o.scale)
}

func (o versionCell) result() kind { return o.kind }

// valueOf is value i of a column.
func valueOf(c *column.Column, i int, k kind, scale uint8) value {
	switch c.Type.Kind {
	case lake.String:
		return textOf(c.Text(i))
	case lake.Double:
		return floatOf(c.Floats[i])
	case lake.Boolean:
		return boolOf(c.Bools[i] == 1)
	}
	return value{kind: k, scale: scale, num: c.Ints[i]}
}
