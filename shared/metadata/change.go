package metadata

import (
	"slices"

	"medlake/shared/lake"
)

func (l *loader) change(t *Table, y *changeYAML) {
	t.Change = &Change{Pos: y.Pos, Delete: y.Delete, Only: named(y.Only)}
	t.Change.Order = l.columns(t, y.Order, "order", true)
	t.Change.Keep = l.columns(t, y.Keep, "keep", false)
	for _, o := range y.Only {
		l.columns(t, []Text{o.Key}, "only", false)
		l.ruled(t, o.Key, "only")
	}
	for _, k := range y.Keep {
		l.ruled(t, k, "keep")
	}
	if y.Replace != nil {
		l.replace(t, y)
		return
	}
	if len(y.Order) == 0 {
		l.add(y.Pos, "change needs order: the columns that tell a newer version from an older one")
	}
	if len(t.Key) == 0 {
		l.add(y.Pos, "a table with change needs a key: the columns that tell rows apart")
	}
	if y.MergeOn != nil {
		l.mergeOn(t, y.MergeOn)
	}
}

// ruled refuses rules about columns that tell rows or versions apart, and about those that are never null: what no version
// may set is null.
func (l *loader) ruled(t *Table, c Text, what string) {
	switch own := t.Column(c.Value); {
	case own == nil:
	case slices.Contains(t.Key, c.Value) || slices.Contains(t.Change.Order, c.Value):
		l.add(c.Pos, "%s: column %s is of the key or the order, which are those of the latest version", what, c.Value)
	case own.Required:
		l.add(c.Pos, "%s: column %s is never null, but it is until a version sets it: leave out the ! after its type", what, c.Value)
	}
}

func (l *loader) mergeOn(t *Table, y *mergeOnYAML) {
	t.Change.MergeOn = &MergeOn{When: y.When, From: y.From.Value}
	if !y.When.set() || !y.From.set() {
		l.add(y.Pos, "merge_on needs when: which versions tell of a merge, and from: the column with the other key")
		return
	}
	l.columns(t, []Text{y.From}, "merge_on", false)
	if len(t.Key) == 0 {
		return
	}
	last := t.Key[len(t.Key)-1]
	from, of := t.Column(y.From.Value), t.Column(last)
	switch {
	case last == lake.ColCustomer:
		l.add(y.Pos, "merge_on: the key has no column but customer at its end")
	case slices.Contains(t.Key, y.From.Value):
		l.add(y.From.Pos, "merge_on: column %s is of the key itself", y.From.Value)
	case from != nil && of != nil && from.Type != of.Type:
		l.add(y.From.Pos, "merge_on: column %s is a %s, but the last column of the key, %s, is a %s", y.From.Value, from.Type, last, of.Type)
	}
}

func (l *loader) replace(t *Table, y *changeYAML) {
	t.Change.Replace = l.columns(t, y.Replace, "replace", false)
	if len(y.Replace) == 0 {
		l.add(y.Pos, "replace needs columns: what the rows of one file have in common, such as the period it is about")
	}
	if len(y.Order) > 0 || len(y.Keep) > 0 || len(y.Only) > 0 || y.Delete.set() || y.MergeOn != nil {
		l.add(y.Pos, "replace stands alone: order, delete, only, keep and merge_on are about versions of single rows")
	}
}
