package metadata

// The structs below are the metadata language: each key stands here once, with its meaning in the doc tag, from which
// schema.json and the reference page are made. Tag words lists the values a key may have.

type feedYAML struct {
	Pos
	Feed   Text            `yaml:"feed,required,own" doc:"Name of the feed: lower case letters, digits and _."`
	Doc    Text            `yaml:"doc,own" doc:"What the files hold and who sends them, in a sentence."`
	Like   Text            `yaml:"like,own" doc:"Name of a feed whose settings this one takes over; keys written here win. Sample and expect are not taken over; of into, only the tables listed here."`
	From   Text            `yaml:"from" doc:"Which uploads: a pattern over <customer>/<path>/<name>, such as \"{customer}/visits/*.zip\". {name} captures one or more characters of a folder or file name, * stands for any number of characters within one, ** across folders, a|b for either. Letter case is ignored. The first folder is {customer} or one customer's id. Two feeds must not take the same upload."`
	For    []Text          `yaml:"for" doc:"Only these customers. Default: all."`
	Open   openYAML        `yaml:"open" doc:"How the archive is opened."`
	Read   readYAML        `yaml:"read" doc:"How the bytes of a member become fields."`
	Dedupe Text            `yaml:"dedupe" words:"member content arrival" doc:"When two uploads are the same and the second is a duplicate: if their unlocked members are equal (member, the default), if their bytes are equal (content), or never (arrival)."`
	Lists  []entry[[]Text] `yaml:"lists" doc:"Named lists of values, used in paths as [@root = {name}]."`
	Into   intoMap         `yaml:"into" doc:"The table the rows go to; or several tables, each with its own entry, each, fields, when, set and first, which win over those of the feed."`
	As     Text            `yaml:"as,own" doc:"The customer of the sample, if the outcome depends on it."`
	Sample samples         `yaml:"sample,own" doc:"A small file. It is run at every load of the metadata. With several members: a name and a text each."`
	Expect []expectYAML    `yaml:"expect,own" doc:"What the rows of the sample become, in order: columns and their values (null for a null), or rejected: and the name of the rule, or filtered: true. With several tables each row says table: as well. Columns that are not written are not compared."`
	rowsYAML
}

type rowsYAML struct {
	Entry  Text          `yaml:"entry" doc:"Which members of the archive: a pattern over the member's name, without its folder unless the pattern has one; a|b is either. Letter case is ignored. Default: all."`
	Each   Text          `yaml:"each" doc:"XML: the path of the element that is one row. Default: the document's root."`
	Fields []entry[Text] `yaml:"fields" doc:"Where values stand: a name and the path (XML, below each, or from the root with a leading slash) or the header name (CSV, where every column is a field of its own name already)."`
	When   Text          `yaml:"when" doc:"An expression over fields. Rows for which it is not true are left out and counted as filtered."`
	Set    []entry[Text] `yaml:"set" doc:"Columns and the expressions over fields that fill them. A column that is not listed takes the field of the same name. Those of the feed go to every table that has the column."`
	First  []Text        `yaml:"first" doc:"Fields that make a row the first of its kind: a row is taken only if the values of these fields have not been seen before in the member. For values of a document that are repeated on every line."`
}

type intoYAML struct {
	Pos
	rowsYAML
}

type openYAML struct {
	Password Text `yaml:"password" doc:"Name of the secret that holds the password, with captures of from: \"zip/{customer}\". Its lines are the current and earlier passwords. Default: none."`
	Nested   Text `yaml:"nested" doc:"How deep archives inside the archive may go, 0 to 4. Default: 1."`
}

type readYAML struct {
	As        Text          `yaml:"as" words:"csv xml" doc:"The format: csv for all delimited text, or xml. Required, here or in the feed named by like."`
	Delimiter Text          `yaml:"delimiter" doc:"CSV: the character between fields, or tab. Default: a comma."`
	Quote     Text          `yaml:"quote" doc:"CSV: the quote character, or none. Default: \"."`
	Header    Text          `yaml:"header" words:"first none" doc:"CSV: the first line names the columns (first, the default), or there is none and columns does."`
	Columns   []Text        `yaml:"columns" doc:"CSV with header: none: the names of the columns in order."`
	Ragged    Text          `yaml:"ragged" words:"reject pad" doc:"CSV: a row with too few or too many fields is rejected (the default), or filled with nulls (pad). Empty fields past the last column are never a fault."`
	Encoding  Text          `yaml:"encoding" words:"utf-8 windows-1252 iso-8859-1 utf-16" doc:"CSV: how text is encoded, unless a byte order mark says otherwise. Default: utf-8."`
	Empty     []Text        `yaml:"empty" doc:"Values that mean null, besides the empty one."`
	Zone      Text          `yaml:"zone" doc:"Time zone of times that carry none, such as America/New_York. Default: the facility's, else the customer's."`
	NS        []entry[Text] `yaml:"ns" doc:"XML: prefixes used in paths and their namespaces; \"\" is the one of names without a prefix."`
}

type tableYAML struct {
	Pos
	Table    Text               `yaml:"table,required" doc:"Name of the table: lower case letters, digits and _; with a namespace, if it is not lake: mart.census."`
	Doc      Text               `yaml:"doc" doc:"What the table holds, in a sentence."`
	Grain    Text               `yaml:"grain" doc:"What one row is: one row a visit."`
	Columns  []entry[column]    `yaml:"columns,required" doc:"The columns: name and type. Types are string, long, double, decimal(p,s) with p up to 18, date, timestamp and boolean; ! after the type: never null; phi(kind): protected health information of that kind. Or {type:, doc:}."`
	Key      []Text             `yaml:"key" doc:"The columns that tell rows apart, with customer. They must be required (!)."`
	Change   *changeYAML        `yaml:"change" doc:"The source sends new versions of a row: all are kept in <table>_log, and <table> shows the latest of each key; <table>_history shows when each held, from _valid_from up to _valid_to (null: it still does)."`
	Checks   []entry[checkYAML] `yaml:"checks" doc:"Rules over the columns of a row, by name."`
	Contract contractYAML       `yaml:"contract" doc:"What happens if the source does not send what was agreed."`
	Layout   layoutYAML         `yaml:"layout" doc:"How data files are cut and sorted."`
	Fresh    Text               `yaml:"fresh" doc:"How old the newest row may be before someone is told: 15m, 2h, 1d."`
}

type columnYAML struct {
	Type Text `yaml:"type,required" doc:"The type: string, long, double, decimal(18,2), date, timestamp or boolean; then ! if it is never null; then phi(kind) if it is protected."`
	Doc  Text `yaml:"doc" doc:"What the column holds, in a sentence; units too."`
}

type changeYAML struct {
	Pos
	Order  []Text        `yaml:"order" doc:"Columns that order the versions of a row; the larger wins, nulls are smallest. Required, unless there is replace."`
	Delete Text          `yaml:"delete" doc:"An expression over columns: if true, this version removes the row."`
	Only   []entry[Text] `yaml:"only" doc:"Columns and an expression over columns: only versions for which it is true may change that column."`
	Keep   []Text        `yaml:"keep" doc:"Columns that a null in a later version does not erase."`

	MergeOn *mergeOnYAML `yaml:"merge_on" doc:"A version may tell that another row was the same thing under another key and now goes by this version's: the other row is removed, unless a later version of it comes."`
	Replace []Text       `yaml:"replace" doc:"Instead of versions of rows, each file brings all rows that have the same values in these columns: those of an older file are removed. A file without rows removes nothing. Stands alone, and the feeds say dedupe: arrival."`
}

type mergeOnYAML struct {
	Pos
	When Text `yaml:"when,required" doc:"An expression over columns: versions for which it is true tell of a merge."`
	From Text `yaml:"from,required" doc:"The column that holds what the other row has in the last column of the key."`
}

type checkYAML struct {
	Pos
	Rule Text `yaml:"rule,required" doc:"An expression over columns that should be true."`
	Else Text `yaml:"else,required" words:"warn reject fail" doc:"What happens to a row for which it is not: it is counted (warn), left out (reject), or the whole file goes to quarantine (fail)."`
	Max  Text `yaml:"max" doc:"Share of a file's rows that may break the rule, such as 2%. warn: more is an alert (default: never). fail: more is a quarantine (default: 0%)."`
}

type contractYAML struct {
	New     Text `yaml:"new" words:"keep freeze ignore" doc:"A source column that nobody declared: kept in _extra (keep, the default), dropped (ignore), or the file goes to quarantine (freeze)."`
	Missing Text `yaml:"missing" words:"warn ignore reject" doc:"A source column that a feed names is absent: the rows are counted (warn, the default), nothing is said (ignore: for tables filled from files of several kinds), or the file goes to quarantine (reject). The file also goes to quarantine if a column that is never null has no source at all."`
	Type    Text `yaml:"type" words:"reject null" doc:"A value does not fit its column's type: the row is rejected (reject, the default), or the value becomes null and is counted (null)."`
}

type layoutYAML struct {
	Partition []Text `yaml:"partition" doc:"customer, month(_arrived_at) or both; customer must be there outside namespace ops. Default: both, or customer alone for a table with change."`
	Sort      []Text `yaml:"sort" doc:"Columns the rows are sorted by. Default: the key, or the columns of replace."`
	File      Text   `yaml:"file" doc:"Size of a data file after compaction, such as 128MB (the default)."`
}

type customerYAML struct {
	Pos
	Customer Text          `yaml:"customer,required" doc:"The customer's id, also the name of the folder: lower case letters, digits and -."`
	Name     Text          `yaml:"name" doc:"The customer's name as people read it."`
	Zone     Text          `yaml:"zone" doc:"Time zone of times that carry none, such as America/New_York. Default: UTC."`
	Contacts []entry[Text] `yaml:"contacts" doc:"Whom to write to, by subject: data: data@acme.example."`
}

type reportYAML struct {
	Pos
	Report Text               `yaml:"report,required" doc:"Name of the report: lower case letters, digits and _."`
	Doc    Text               `yaml:"doc" doc:"What the report answers, in a sentence."`
	Every  Text               `yaml:"every" doc:"When it runs, as a cron line: minute hour day month weekday."`
	Given  []entry[Text]      `yaml:"given" doc:"Parameters and the expressions that fill them."`
	SQL    Text               `yaml:"sql,required" doc:"The query. The customer's filter is added by the engine."`
	Checks []entry[checkYAML] `yaml:"checks" doc:"Rules over the columns of a result row, by name."`
	Needs  []entry[Text]      `yaml:"needs" doc:"Tables and how fresh each must be: visits: 15m."`
	Chart  *chartYAML         `yaml:"chart" doc:"How the result is drawn."`
	Give   *giveYAML          `yaml:"give" doc:"How and where the result is delivered."`
}

type chartYAML struct {
	Mark Text   `yaml:"mark" words:"bar line area point" doc:"The kind of chart."`
	X    Text   `yaml:"x" doc:"The column along the bottom."`
	Y    []Text `yaml:"y" doc:"The columns that are drawn."`
	By   Text   `yaml:"by" doc:"One chart for each value of this column."`
}

type giveYAML struct {
	As []Text `yaml:"as" words:"csv xlsx pdf json" doc:"File formats."`
	To []Text `yaml:"to" doc:"Where to: portal, or a URL with {customer}."`
}
