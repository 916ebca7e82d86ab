package transform

// functions is the language's list. All are pure, and null in, null out unless they say otherwise.
var functions = map[string]*definition{
	// times
	"ts": {
		min: 1, max: -1, kind: timestamp, bind: bindTimestamp,
		usage: `ts(field, "01/02/2006 15:04")`,
		doc:   "A moment. One or more layouts, the first that fits counts: Go's reference time (Mon Jan 2 15:04:05 2006 -0700) as the source would write it, `\"hl7\"`, or `\"iso\"`, which is the default. A time without an offset is in the zone of the feed, else of the row's facility, else of the customer.",
	},
	"day": {
		min: 1, max: -1, kind: date, bind: bindDay,
		usage: `day(field, "01/02/2006")`,
		doc:   "A date, as it is written, whatever time of day and offset stand beside it. Layouts as for ts.",
	},
	// numbers
	"num": {
		min: 1, max: 1, kind: unknown, fn: numberOf,
		usage: "num(field)",
		doc:   "The number a text spells: a long, or a double if it has a point or exponent.",
	},
	"dec": {
		min: 2, max: 2, kind: decimal, bind: bindDecimal,
		usage: "dec(field, 2)",
		doc:   "An exact decimal with so many places. Text with more digits than that does not fit, unless they are zeros; a calculated number is rounded.",
	},
	"int": {
		min: 1, max: 1, kind: long, fn: integerOf,
		usage: "int(field)",
		doc:   "A whole number; one with a fraction does not fit.",
	},
	"float": {
		min: 1, max: 1, kind: double, fn: floatingOf,
		usage: "float(field)",
		doc:   "A double.",
	},
	"round": {
		min: 1, max: 2, kind: unknown, bind: bindRound,
		usage: "round(number, 1)",
		doc:   "Rounded to so many places (default none); halves go away from zero.",
	},
	"abs": {
		min: 1, max: 1, kind: unknown, fn: absolute,
		usage: "abs(number)",
		doc:   "Without its sign.",
	},
	"floor": {
		min: 1, max: 1, kind: long, fn: floor,
		usage: "floor(number)",
		doc:   "The next whole number below.",
	},
	"ceil": {
		min: 1, max: 1, kind: long, fn: ceiling,
		usage: "ceil(number)",
		doc:   "The next whole number above.",
	},
	"min": {
		min: 2, max: -1, kind: unknown, fn: smallest,
		usage: "min(a, b)",
		doc:   "The smallest.",
	},
	"max": {
		min: 2, max: -1, kind: unknown, fn: largest,
		usage: "max(a, b)",
		doc:   "The largest.",
	},
	// text
	"upper": {
		min: 1, max: 1, kind: text, fn: upper,
		usage: "upper(field)",
		doc:   "In capital letters.",
	},
	"lower": {
		min: 1, max: 1, kind: text, fn: lowered,
		usage: "lower(field)",
		doc:   "In small letters.",
	},
	"trim": {
		min: 1, max: 2, kind: text, bind: bindTrim,
		usage: `trim(field, "0")`,
		doc:   "Without the characters listed, or white space if none are, at both ends. Fields are trimmed of white space already.",
	},
	"concat": {
		min: 1, max: -1, kind: text, bind: bindConcat, null: true,
		usage: `concat(last, ", ", first)`,
		doc:   "Put together; nulls are left out. Null if everything but the constants is null.",
	},
	"after": {
		min: 2, max: 2, kind: text, fn: after,
		usage: `after(field, "/")`,
		doc:   "What stands after the first separator; null if there is none.",
	},
	"before": {
		min: 2, max: 2, kind: text, fn: before,
		usage: `before(field, "/")`,
		doc:   "What stands before the first separator; null if there is none.",
	},
	"part": {
		min: 3, max: 3, kind: text, bind: bindPart,
		usage: `part(field, "^", 2)`,
		doc:   "The part of that number between separators, from 1; -1 is the last. Null if there are not so many.",
	},
	"left": {
		min: 2, max: 2, kind: text, bind: bindLeft,
		usage: "left(field, 3)",
		doc:   "The first characters.",
	},
	"right": {
		min: 2, max: 2, kind: text, bind: bindRight,
		usage: "right(field, 4)",
		doc:   "The last characters.",
	},
	"pad": {
		min: 2, max: 3, kind: text, bind: bindPad,
		usage: `pad(field, 11, "0")`,
		doc:   "Filled up at the front to so many characters, with zeros or the character given.",
	},
	"replace": {
		min: 3, max: 3, kind: text, bind: bindReplace,
		usage: `replace(field, "-", "")`,
		doc:   "With every occurrence of a text replaced.",
	},
	"digits": {
		min: 1, max: 1, kind: text, fn: digits,
		usage: "digits(field)",
		doc:   "Only its digits.",
	},
	"zip3": {
		min: 1, max: 1, kind: text, fn: zip3,
		usage: "zip3(zip)",
		doc:   "The first three digits of a ZIP code, 000 where 20,000 people or fewer live (HIPAA safe harbour); null if it is no ZIP code.",
	},
	"string": {
		min: 1, max: 1, kind: text, fn: spelled,
		usage: "string(number)",
		doc:   "Spelled as text.",
	},
	"len": {
		min: 1, max: 1, kind: long, fn: length, lists: listLength,
		usage: "len(field)",
		doc:   "The number of characters, or of elements of a list.",
	},
	"first": {
		min: 1, max: 2, kind: text, bind: bindFirst, lists: listFirst,
		usage: `first(field, " ")`,
		doc:   "What stands before the first separator, or all; the first element of a list.",
	},
	"last": {
		min: 1, max: 2, kind: text, bind: bindLast, lists: listLast,
		usage: `last(field, " ")`,
		doc:   "What stands after the last separator, or all; the last element of a list.",
	},
	// lists, in the expr VM only
	"split": {
		min: 2, max: 2, kind: list, lists: listSplit,
		usage: `split(field, "~")`,
		doc:   "A list of the parts between separators. `[0]` is its first element, `[-1]` its last.",
	},
	"join": {
		min: 2, max: 2, kind: text, lists: listJoin,
		usage: `join(list, ", ")`,
		doc:   "The elements of a list as one text; nulls are left out.",
	},
	// choices
	"map": {
		min: 2, max: 3, kind: unknown, bind: bindMap, null: true,
		usage: `map(field, {"A": "admit", "D": "discharge"})`,
		doc:   "The value listed for it. One that is not listed is null, or the third argument.",
	},
	"coalesce": {
		min: 1, max: -1, kind: unknown, fn: firstValue, null: true,
		usage: "coalesce(a, b)",
		doc:   "The first that is not null; the same as `a ?? b`.",
	},
	"ref": {
		min: 2, max: 2, kind: unknown,
		usage: `ref("facilities", code).id`,
		doc:   "Looks up a row of a reference file by its first column and takes a column of it; null if there is no such row. The customer's own file comes first, then the shared one.",
	},
}
