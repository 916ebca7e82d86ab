package warehouse

import (
	"maps"
	"strconv"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// measures are the counts of a snapshot's summary as Iceberg names them.
var measures = []struct{ total, added, removed string }{
	{"total-data-files", "added-data-files", "deleted-data-files"},
	{"total-records", "added-records", "deleted-records"},
	{"total-delete-files", "added-delete-files", "removed-delete-files"},
	{"total-position-deletes", "added-position-deletes", "removed-position-deletes"},
	{"total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"},
	{"total-files-size", "added-files-size", "removed-files-size"},
}

// count puts a file that comes or leaves into the summary.
func (d *draft) count(f iceberg.DataFile, comes bool) {
	files, rows := measures[0], measures[1]
	if f.ContentType() != iceberg.EntryContentData {
		files, rows = measures[2], measures[3]
	}
	size := measures[5]
	if comes {
		d.sum[files.added]++
		d.sum[rows.added] += f.Count()
		d.sum[size.added] += f.FileSizeBytes()
		return
	}
	d.sum[files.removed]++
	d.sum[rows.removed] += f.Count()
	d.sum[size.removed] += f.FileSizeBytes()
}

// summary is the snapshot's, with totals that follow from the head's.
func (d *draft) summary(op table.Operation, props iceberg.Properties) *table.Summary {
	out := maps.Clone(props)
	var before iceberg.Properties
	if s := d.head.tbl.SnapshotByID(d.head.Snapshot); s != nil && s.Summary != nil {
		before = s.Summary.Properties
	}
	for _, m := range measures {
		for _, name := range []string{m.added, m.removed} {
			if d.sum[name] > 0 {
				out[name] = strconv.FormatInt(d.sum[name], 10)
			}
		}
		out[m.total] = strconv.FormatInt(before.GetInt64(m.total, 0)+d.sum[m.added]-d.sum[m.removed], 10)
	}
	for _, which := range []string{"added", "removed"} { // of delete files, all are by position
		if n, ok := out[which+"-delete-files"]; ok {
			out[which+"-position-delete-files"] = n
		}
	}
	return &table.Summary{Operation: op, Properties: out}
}
