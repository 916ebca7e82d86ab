package lake

// Ledgers are tables too. They hold coordinates and counts, never a value of a row.
const (
	OpsLoads   = "ops.loads"   // one row an arrival and replay, written by commit from the log itself
	OpsRejects = "ops.rejects" // one row a rejected row, written by ingest like any other table
	OpsHealth  = "ops.health"  // one row a table, written by maintain
)

// LoadsSchema is the schema of OpsLoads. Every row balances: read = committed + filtered + rejected.
func LoadsSchema() Schema {
	text, long := Type{Kind: String}, Type{Kind: Long}
	return Schema{
		Format: Format, Table: OpsLoads, Partition: []string{"month(_arrived_at)"}, Sort: []string{ColArrivedAt},
		Doc: "What became of every upload: one row an arrival, and one more for each replay of it. Read = committed + filtered + rejected, for each row.",
		Columns: []Column{
			{Name: ColCustomer, Type: text, Required: true, Bounds: true, Doc: "The customer who sent it."},
			{Name: ColLoad, Type: text, Required: true, Bounds: true, Doc: "The load its rows carry; for a duplicate, the load that was there first."},
			{Name: ColArrivedAt, Type: Type{Kind: Timestamp}, Required: true, Bounds: true, Doc: "When the store took the upload."},
			{Name: "arrival", Type: text, Required: true, Bounds: true, Doc: "Id of the arrival, as in events and logs."},
			{Name: "feed", Type: text, Bounds: true, Doc: "The feed that matched; null if none did."},
			{Name: "status", Type: text, Required: true, Bounds: true, Doc: "loaded, duplicate or quarantined."},
			{Name: "reason", Type: text, Bounds: true, Doc: "Why it is in quarantine; else null."},
			{Name: "entry", Type: long, Bounds: true, Doc: "Quarantine: the member at fault, from 0; null if the whole file is."},
			{Name: "line", Type: long, Bounds: true, Doc: "Quarantine: the line at fault, from 1; null if unknown."},
			{Name: "column_name", Type: text, Bounds: true, Doc: "Quarantine: the column at fault."},
			{Name: "rule", Type: text, Bounds: true, Doc: "Quarantine: the check that failed."},
			{Name: "object", Type: text, Required: true, Doc: "Key of the upload in landing. It holds the file name: protected health information."},
			{Name: "version", Type: text, Doc: "The store's version of the object. With the key it may identify a file: protected."},
			{Name: "bytes", Type: long, Required: true, Bounds: true, Doc: "Size of the upload."},
			{Name: "read", Type: long, Required: true, Bounds: true, Doc: "Records read, over all tables; 0 for a duplicate."},
			{Name: "committed", Type: long, Required: true, Bounds: true, Doc: "Rows committed, over all tables."},
			{Name: "filtered", Type: long, Required: true, Bounds: true, Doc: "Records that `when` left out."},
			{Name: "rejected", Type: long, Required: true, Bounds: true, Doc: "Records that a rule rejected; each has a row in ops.rejects."},
			{Name: "metadata", Type: text, Bounds: true, Doc: "Version of the metadata it was read with."},
			{Name: "log", Type: long, Required: true, Bounds: true, Doc: "Number of the log entry that is its receipt."},
			{Name: "epoch", Type: long, Bounds: true, Doc: "Number of the replay that read it again; 0 or null if it came by itself."},
			{Name: "replaces", Type: text, Bounds: true, Doc: "The load whose rows left for this one's; null if none did. Where it is in quarantine, they stayed."},
		},
	}
}

// RejectsSchema is the schema of OpsRejects.
func RejectsSchema() Schema {
	text, long := Type{Kind: String}, Type{Kind: Long}
	return Schema{
		Format: Format, Table: OpsRejects, Partition: []string{"customer", "month(_arrived_at)"}, Sort: []string{ColArrivedAt},
		Doc: "Every row that was not taken: where it stands and which rule it broke, never its values.",
		Columns: append(SystemColumns(),
			Column{Name: "table_name", Type: text, Required: true, Bounds: true, Doc: "The table the row was meant for."},
			Column{Name: "line", Type: long, Bounds: true, Doc: "Line within the member, from 1; null if unknown."},
			Column{Name: "column_name", Type: text, Bounds: true, Doc: "The column at fault; null if the rule is about the row."},
			Column{Name: "rule", Type: text, Required: true, Bounds: true, Doc: "The check that was broken, or type, required, ragged or quote."},
			Column{Name: ColExtra, Type: text, Doc: "Always null: here because every table that ingest writes has it."},
		),
	}
}

// HealthSchema is the schema of OpsHealth.
func HealthSchema() Schema {
	text, long, at := Type{Kind: String}, Type{Kind: Long}, Type{Kind: Timestamp}
	return Schema{
		Format: Format, Table: OpsHealth, Sort: []string{"table_name"},
		Doc: "How each table was at the last maintenance: one row a table, replaced by every round.",
		Columns: []Column{
			{Name: "table_name", Type: text, Required: true, Bounds: true, Doc: "The table, as namespace.table."},
			{Name: "files", Type: long, Required: true, Bounds: true, Doc: "Data files."},
			{Name: "small_files", Type: long, Required: true, Bounds: true, Doc: "Data files below three quarters of the size aimed at."},
			{Name: "rows", Type: long, Required: true, Bounds: true, Doc: "Rows in data files, deleted ones included."},
			{Name: "deleted_share", Type: Type{Kind: Double}, Required: true, Bounds: true, Doc: "Deleted rows in data files, of all rows: from 0 to 1. A deleted key of a changing table keeps one."},
			{Name: "delete_files", Type: long, Required: true, Bounds: true, Doc: "Position delete files."},
			{Name: "bytes", Type: long, Required: true, Bounds: true, Doc: "Size of all data and delete files."},
			{Name: "snapshots", Type: long, Required: true, Bounds: true, Doc: "States of the table that are kept."},
			{Name: "batch", Type: long, Required: true, Bounds: true, Doc: "The last log entry that the table was changed by."},
			{Name: "log_tail", Type: long, Required: true, Bounds: true, Doc: "The last entry of the log then."},
			{Name: "last_compaction", Type: at, Bounds: true, Doc: "When files were last rewritten; null if never."},
			{Name: "measured_at", Type: at, Required: true, Bounds: true, Doc: "When this was so."},
		},
	}
}
