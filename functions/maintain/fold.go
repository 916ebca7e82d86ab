package maintain

import (
	"context"
	"time"
)

// Control objects must not become so many or so large that anything that lists or reads them grows with the years. At 28
// million uploads a year (0.9 a second, so that most have a log entry of their own):
//
//	pending/   none at rest
//	loads/     28 million; each read by its key, never listed; 0.3 KB once it is shortened: 8 GB a year
//	log/       28 million; read by their keys from the hint on, never listed; a pointer of 70 bytes once folded: 2 GB a year
//	folded/    28,000 groups of 1,000 entries, some 100 KB each: 3 GB a year; one is read for 1,000 entries
//	landing/   28 million; listed by customer and day: 77,000 a day in all, which are 77 pages and 100 ms each for a sweep
//	           of one day, whatever the age of the lake
//	tables/    listed once a day. Compaction leaves a partition 7 small files and some more, each larger than all smaller
//	           ones together: some 20 below the size aimed at. What was compacted away stays until no restore needs it, for 35 days: 2.7
//	           million files a table that every upload has rows in, listed in 2,700 pages, below 5 minutes
//
// Folding an entry takes 4 requests, the record of its load among them: at 20 ms each some 65 s of every 15 minutes.

// leastFold is what folding gets of a round even if all else has taken its time.
const leastFold = time.Minute

// fold folds log entries within the time of the round; what it has not come to is folded by the next one.
func (w *work) fold(ctx context.Context) (int64, error) {
	within, cancel := context.WithTimeout(ctx, max(leastFold, time.Until(w.until)))
	defer cancel()
	tail, err := w.cfg.Journal.Tail(ctx)
	if err != nil {
		return 0, err
	}
	to, err := w.cfg.Journal.Fold(within, tail)
	if within.Err() != nil && ctx.Err() == nil {
		err = nil
	}
	return to, err
}
