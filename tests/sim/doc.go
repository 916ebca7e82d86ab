// Package sim holds no product code: its tests drive the real ingest, commit, merge, maintain, replay, restore and sweep
// under a scheduler that decides, by a seed, which of many processes makes the next call to the bucket or the catalog,
// which call fails, loses its reply or is the last thing its process does, and which process sleeps until all others have
// come to rest. After every change a reader compares the table with what the uploads and the log say it must show; in the
// end every upload stands in the log once, and every table shows all of it.
package sim
