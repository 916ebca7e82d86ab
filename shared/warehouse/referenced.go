package warehouse

import (
	"context"
	"fmt"
)

// Referenced lists the keys of all objects that the newest state of a table names: data files, delete files and manifests of
// every kept snapshot, statistics, and metadata files. A file below the table's folder that it does not list is either on
// its way into the table or left over. Any error means that nothing is known.
func (w *Warehouse) Referenced(ctx context.Context, name string) (map[string]bool, error) {
	t, err := w.load(ctx, name)
	if err != nil {
		return nil, err
	}
	m := t.Metadata()
	named, err := reach(&session{files: w.files, ctx: ctx}, m.Snapshots())
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", name, err)
	}
	named[t.MetadataLocation()] = 0
	for f := range m.PreviousFiles() {
		named[f.MetadataFile] = 0
	}
	for s := range m.Statistics() {
		named[s.StatisticsPath] = 0
	}
	for s := range m.PartitionStatistics() {
		named[s.StatisticsPath] = 0
	}
	keys := make(map[string]bool, len(named))
	for url := range named {
		key, err := (&session{files: w.files}).key("find", url)
		if err != nil {
			return nil, fmt.Errorf("files of %s: %w", name, err)
		}
		keys[key] = true
	}
	return keys, nil
}
