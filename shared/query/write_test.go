package query

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// resultOf makes a result of rows; a cell NULL is null.
func resultOf(cols []Column, rows ...[]string) *Result {
	return &Result{Columns: cols, Rows: func(yield func([]Cell, error) bool) {
		cells := make([]Cell, len(cols))
		for _, r := range rows {
			for i, s := range r {
				cells[i] = Cell{Text: s}
				if s == "NULL" {
					cells[i] = Cell{Null: true}
				}
			}
			if !yield(cells, nil) {
				return
			}
		}
	}}
}

var testColumns = []Column{{Name: "id", Kind: Text}, {Name: "n", Kind: Number}, {Name: "ok", Kind: Boolean}, {Name: "at", Kind: Time}, {Name: "doc", Kind: JSON}}

var testRows = [][]string{
	{"V1", "12345678901234567890.10", "true", "2026-03-05T12:00:00Z", `{"a":[1]}`},
	{"é, \"x\"\n", "-1", "NULL", "NULL", "NULL"},
	{"NULL", "NaN", "false", "2026-03-05", "[]"},
	{"", "0", "false", "2026-03-05", "[]"},
}

func TestWrite(t *testing.T) {
	t.Parallel()
	for format, want := range map[Format]string{
		AsTable: `
 id       |                       n | ok    | at                   | doc
----------+-------------------------+-------+----------------------+-----------
 V1       | 12345678901234567890.10 | true  | 2026-03-05T12:00:00Z | {"a":[1]}
 é, "x"\n |                      -1 | NULL  | NULL                 | NULL
 NULL     |                     NaN | false | 2026-03-05           | []
          |                       0 | false | 2026-03-05           | []
(4 rows)
`,
		AsCSV: `
id,n,ok,at,doc
V1,12345678901234567890.10,true,2026-03-05T12:00:00Z,"{""a"":[1]}"
"é, ""x""
",-1,,,
,NaN,false,2026-03-05,[]
"",0,false,2026-03-05,[]
`,
		AsJSON: `
[
{"id":"V1","n":12345678901234567890.10,"ok":true,"at":"2026-03-05T12:00:00Z","doc":{"a":[1]}},
{"id":"é, \"x\"\n","n":-1,"ok":null,"at":null,"doc":null},
{"id":null,"n":"NaN","ok":false,"at":"2026-03-05","doc":[]},
{"id":"","n":0,"ok":false,"at":"2026-03-05","doc":[]}
]
`,
	} {
		var out strings.Builder
		rows, err := Write(&out, resultOf(testColumns, testRows...), format)
		if err != nil || rows != 4 {
			t.Errorf("%s: %d rows, %v", format, rows, err)
		}
		if d := cmp.Diff(want[1:], out.String()); d != "" {
			t.Errorf("%s:\n%s", format, d)
		}
	}
}

func TestWriteNoRows(t *testing.T) {
	t.Parallel()
	for format, want := range map[Format]string{
		AsTable: " id | n\n----+---\n(0 rows)\n",
		AsCSV:   "id,n\n",
		AsJSON:  "[]\n",
	} {
		var out strings.Builder
		if _, err := Write(&out, resultOf(testColumns[:2]), format); err != nil || out.String() != want {
			t.Errorf("%s: got %q %v, want %q", format, out.String(), err, want)
		}
	}
}

func TestTableIsSafeForTerminals(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if _, err := Write(&out, resultOf([]Column{{Name: "a\x1b[2J"}}, []string{"\x1b]0;evil\a\r\u202e\u200b"}), AsTable); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(strings.ReplaceAll(out.String(), "\n", ""), hidden); i >= 0 {
		t.Errorf("a control character got out: %q", out.String())
	}
}

func TestTableStreamsLongResults(t *testing.T) {
	t.Parallel()
	rows := slices.Repeat([][]string{{"short"}}, sampleRows)
	rows = append(rows, []string{"a much longer cell"})
	var out strings.Builder
	if n, err := Write(&out, resultOf(testColumns[:1], rows...), AsTable); err != nil || n != sampleRows+1 {
		t.Fatal(n, err)
	}
	if got := out.String(); !strings.HasSuffix(got, " short\n a much longer cell\n(1001 rows)\n") {
		t.Errorf("got …%q", got[len(got)-60:])
	}
}

func TestCSVIsSafeForSpreadsheets(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+cmd": "'+cmd", "-cmd|x": "'-cmd|x", "@sum": "'@sum", "\t=1": "'\t=1",
		"-5": "-5", "+1.5e3": "+1.5e3", "-": "'-", "a=1": "a=1", `="a,b"`: `"'=""a,b"""`, " x": `" x"`, "NULL": `""`,
	} {
		var out strings.Builder
		if _, err := Write(&out, resultOf(testColumns[:1], []string{cell}), AsCSV); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(strings.TrimPrefix(out.String(), "id\n"), "\n"); got != want {
			t.Errorf("%q: got %s, want %s", cell, got, want)
		}
	}
	var out strings.Builder
	if _, err := Write(&out, resultOf([]Column{{Name: "=x", Kind: Number}}, []string{"-Infinity"}), AsCSV); err != nil || out.String() != "'=x\n-Infinity\n" {
		t.Errorf("got %q %v", out.String(), err)
	}
}

func TestJSONKeepsEveryColumn(t *testing.T) {
	t.Parallel()
	cols := []Column{{Name: "a", Kind: Number}, {Name: "a", Kind: Text}, {Name: "a_2", Kind: Text}, {Name: `q"<`, Kind: Text}}
	var out strings.Builder
	if _, err := Write(&out, resultOf(cols, []string{"1", "<&>", "x", "y"}), AsJSON); err != nil {
		t.Fatal(err)
	}
	want := "[\n" + `{"a":1,"a_2":"<&>","a_2_2":"x","q\"<":"y"}` + "\n]\n"
	if out.String() != want || !json.Valid([]byte(out.String())) {
		t.Errorf("got %s, want %s", out.String(), want)
	}
}

func TestWriteStopsAtAnError(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	for _, format := range []Format{AsTable, AsCSV, AsJSON} {
		r := resultOf(testColumns[:1])
		r.Rows = func(yield func([]Cell, error) bool) {
			if yield([]Cell{{Text: "x"}}, nil) {
				yield(nil, bad)
			}
		}
		var out strings.Builder
		if n, err := Write(&out, r, format); !errors.Is(err, bad) || n != 1 {
			t.Errorf("%s: got %d rows, %v", format, n, err)
		}
		if format == AsJSON && json.Valid([]byte(out.String())) {
			t.Error("a cut result looks whole")
		}
	}
	if _, err := ParseFormat("xml"); err == nil {
		t.Error("xml was taken for a format")
	}
}
