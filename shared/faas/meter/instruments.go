package meter

// All roles.
var (
	Events    = count("medlake_events", "{event}", "Events a role was given.", "role", "outcome")
	EventTime = spread("medlake_event_duration", "s", "Time an event took, whatever came of it.", long, "role")
	Rounds    = count("medlake_rounds", "{round}", "Rounds of the roles that look for work by themselves.", "role", "outcome")
	RoundTime = spread("medlake_round_duration", "s", "Time a round took.", long, "role")
	RoundAt   = level("medlake_round_last_success_timestamp", "s", "When the last round ended well, in seconds since 1970.", "role")
	Started   = level("medlake_process_start_timestamp", "s", "When the process started, in seconds since 1970.", "role", "version")
	Catalog   = spread("medlake_catalog_call_duration", "s", "Time of calls that read or change a table by way of the catalog. A change that failed lost a race, mostly, and comes again.", short, "operation", "outcome")
)

// Ingest.
var (
	Arrivals   = count("medlake_ingest_arrivals", "{arrival}", "Uploads brought to an end. One that comes again counts again.", "feed", "status", "reason")
	Records    = count("medlake_ingest_records", "{record}", "Records read from loaded uploads, by what became of them: committed, filtered or rejected.", "table", "outcome")
	Warned     = count("medlake_ingest_warned", "{record}", "Records that broke a check which only warns.", "table")
	IngestTime = spread("medlake_ingest_duration", "s", "Time from the event of an upload to its record.", long, "status")
	IngestSize = spread("medlake_ingest_size", "By", "Size of uploads that were processed.", sizes)
	Ignored    = count("medlake_ingest_ignored", "{event}", "Events that name no upload of this lake: elsewhere or gone.", "why")
	Alone      = count("medlake_ingest_alone", "{arrival}", "Uploads that never came back three times and were tried in a process of their own.", "outcome")
)

// Commit.
var (
	Committed   = count("medlake_commit_arrivals", "{arrival}", "Uploads that got their line in ops.loads.", "status")
	Freshness   = spread("medlake_commit_freshness", "s", "Time from an upload's arrival until it has its line in ops.loads.", waits)
	Pending     = level("medlake_commit_pending_objects", "", "Processed uploads that wait to be taken into the log; of more than 10,000 only so many are seen.")
	PendingAge  = level("medlake_commit_pending_oldest", "s", "Age of the oldest of them; 0 if there is none.")
	Unreadable  = level("medlake_commit_unreadable_objects", "", "Pending objects that this version cannot understand. They stay where they are.")
	LogEntries  = level("medlake_commit_log_entries", "", "Number of the last entry of the log.")
	CommitLag   = level("medlake_commit_lag_entries", "", "Log entries that a table may lack; 0: it is up to date.", "table")
	PassedOver  = count("medlake_commit_passed_over", "{restore}", "Restores that could not be done because their snapshot is gone.")
	CommitRaces = count("medlake_commit_races", "{commit}", "Commits of a table that were tried again, mostly because another process was first.")
)

// Merge.
var (
	Merged    = count("medlake_merge_tables", "{table}", "Tables changed by a merge.")
	MergedRow = count("medlake_merge_rows", "{row}", "Rows written by merges.", "table")
	MergeLag  = level("medlake_merge_lag_entries", "", "Log entries that are in a table's log and not yet in the table.", "table")
)

// Maintain.
var (
	Compacted = count("medlake_maintain_compacted", "{group}", "Groups of files that became one.", "table")
	GaveUp    = count("medlake_maintain_given_up", "{group}", "Groups of files left as they are because others changed them meanwhile.", "table")
	Deleted   = count("medlake_maintain_deleted_files", "{file}", "Files deleted because nothing can name them any more.", "table")
	Freed     = count("medlake_maintain_deleted", "By", "Bytes of files that were deleted.", "table")
	LeftOver  = level("medlake_maintain_left_groups", "", "Tables and groups of files that the last round had no budget for.")
	Folded    = level("medlake_maintain_folded_entries", "", "Log entries up to here lie folded.")
)

// Sweep.
var (
	Swept     = level("medlake_sweep_uploads", "", "Uploads in the folders that the last sweep looked at.", "all")
	Forgotten = count("medlake_sweep_sent", "{arrival}", "Uploads that nobody had processed, sent again.")
)

// Dead letters.
var Dead = count("medlake_dead_events", "{event}", "Events that a broker gave up.", "type")

// All there are: to be declared is to be listed.
var (
	counters   []Counter
	gauges     []Gauge
	histograms []Histogram
)

// Counters lists all counters.
func Counters() []Counter { return counters }

// Gauges lists all gauges.
func Gauges() []Gauge { return gauges }

// Histograms lists all histograms.
func Histograms() []Histogram { return histograms }

// Bounds of buckets: few, because each is a series.
var (
	short = []float64{.005, .02, .05, .1, .25, .5, 1, 2.5, 10}              // one call
	long  = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900}    // one piece of work
	waits = []float64{.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600}    // of a sender
	sizes = []float64{1 << 14, 1 << 17, 1 << 20, 1 << 23, 1 << 26, 1 << 29} // bytes
)

func count(name, unit, about string, labels ...string) Counter {
	c := Counter{instrument{name, unit, about, labels}}
	counters = append(counters, c)
	return c
}

func level(name, unit, about string, labels ...string) Gauge {
	g := Gauge{instrument{name, unit, about, labels}}
	gauges = append(gauges, g)
	return g
}

func spread(name, unit, about string, bounds []float64, labels ...string) Histogram {
	h := Histogram{instrument{name, unit, about, labels}, bounds}
	histograms = append(histograms, h)
	return h
}
