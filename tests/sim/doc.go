// Package sim holds no product code: its tests drive the real ingest, commit and sweep under a scheduler that decides, by
// a seed, which of many processes makes the next call to the bucket or the catalog, and which call fails, loses its reply
// or is the last thing its process does. Afterwards every load must stand in its tables once, and every arrival in the
// log once.
package sim
