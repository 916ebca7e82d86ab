package maintain

import "context"

// prefix begins the names of files that compaction writes.
const prefix = "compact-"

func (w *work) compact(context.Context, string, *Group) (bool, error) { return false, nil }
