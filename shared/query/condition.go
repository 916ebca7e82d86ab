package query

import (
	"fmt"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// Names of `change.delete` and `change.merge_on` among a table's conditions; no column can have them.
const (
	deleteKey = "*delete*"
	mergeKey  = "*merge_on*"
)

// Check returns the faults of a table's `change` expressions: the parts of the expression language that a view cannot
// express. They join the metadata's own faults.
func Check(t *metadata.Table) []metadata.Fault {
	if t.Change == nil {
		return nil
	}
	_, faults := compile(t)
	return faults
}

// compile translates the expressions of a table's `change` to SQL over the log, alias t: by column for `only`, under
// deleteKey for `delete`, under mergeKey for `merge_on`.
func compile(t *metadata.Table) (map[string]string, []metadata.Fault) {
	kinds := map[string]lake.Kind{}
	for _, c := range t.Schema().Columns {
		kinds[c.Name] = c.Type.Kind
	}
	out := map[string]string{}
	var faults []metadata.Fault
	add := func(key, what string, text metadata.Text) {
		sql, err := translate(text.Value, kinds)
		if err != nil {
			faults = append(faults, metadata.Fault{Pos: text.Pos, Message: fmt.Sprintf("table %s: change: %s: %v", t.ID(), what, err)})
			return
		}
		out[key] = sql
	}
	if t.Change.Delete.Value != "" {
		add(deleteKey, "delete", t.Change.Delete)
	}
	for _, o := range t.Change.Only {
		add(o.Name, "only: "+o.Name, o.Text)
	}
	if m := t.Change.MergeOn; m != nil {
		add(mergeKey, "merge_on", m.When)
	}
	return out, faults
}
