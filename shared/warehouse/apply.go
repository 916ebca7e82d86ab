package warehouse

import (
	"context"
	"errors"

	"medlake/shared/lake"
)

// Change is what one transaction does to a table. Any part may be empty.
type Change struct {
	Add     []lake.DataFile // new data files
	Deletes []lake.DataFile // new position delete files; they may name rows of Add
	Remove  []string        // URLs of live data files that leave; so do delete files that then touch nothing
	Batch   int64           // the table's number afterwards; the head's if it does not move
	Fold    string          // what the rows are a fold by; empty leaves it as it is
	Same    bool            // the rows stay what they were, only files change: history shows it as a replacement of files
}

// Apply makes a change in one transaction. It takes effect only if the table still stands at h. After any error the
// outcome is unknown: read Batch again and look; the files must stay.
func (w *Warehouse) Apply(ctx context.Context, h Head, c Change) error {
	return errors.ErrUnsupported
}
