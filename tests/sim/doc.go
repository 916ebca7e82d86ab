// Package sim holds no product code: its tests drive the real ingest, commit, merge, maintain, replay, restore, sweep, erase
// and backup under a scheduler that decides, by a seed, which of many processes makes the next call to the bucket or the
// catalog, which call fails, loses its reply or is the last thing its process does, which process sleeps until all others
// have come to rest, and when hours pass. In some worlds the catalog is lost and rebuilt. After every change a reader
// compares the table with what the uploads and the log say it must show; in the end every upload stands in the log once,
// every table shows all of it, every kept state has its files, and nothing holds the patient who was erased.
//
// A world in memory depends on its seed alone: its clock, its bucket and its tables are its own.
package sim
