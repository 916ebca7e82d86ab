package query

import (
	"strings"
	"testing"

	"medlake/shared/lake"
)

var testKinds = map[string]lake.Kind{
	"event": lake.String, "n": lake.Long, "amount": lake.Decimal, "x": lake.Double, "ok": lake.Boolean, "at": lake.Timestamp, "day": lake.Date, `odd"`: lake.String,
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`event in ["A11", "A23"]`:         `coalesce(t."event" IN ('A11', 'A23'), false)`,
		`event not in ['x',]`:             `(NOT coalesce(t."event" IN ('x'), false))`,
		"event == `O'Brien`":              `(t."event" IS NOT DISTINCT FROM 'O''Brien')`,
		`event != "a"`:                    `(t."event" IS DISTINCT FROM 'a')`,
		`event == nil or day != nil`:      `((t."event" IS NOT DISTINCT FROM NULL) OR (t."day" IS DISTINCT FROM NULL))`,
		`n > 3 and n <= -4`:               `coalesce(((t."n" > 3) AND (t."n" <= -4)), false)`,
		`n in [1, 2.5] && !ok`:            `coalesce((coalesce(t."n" IN (1, 2.5), false) AND (NOT t."ok")), false)`,
		`ok or true and false`:            `coalesce((t."ok" OR (true AND false)), false)`,
		`(ok || true) && not (n == x)`:    `coalesce(((t."ok" OR true) AND (NOT (t."n" IS NOT DISTINCT FROM t."x"))), false)`,
		`event == "tab\t\"q\" \\ é"`:      "(t.\"event\" IS NOT DISTINCT FROM 'tab\t\"q\" \\ é')",
		`'it\'s "x"' == event`:            `('it''s "x"' IS NOT DISTINCT FROM t."event")`,
		`ok == true`:                      `(t."ok" IS NOT DISTINCT FROM true)`,
		"  amount\n>= 0.50 ":              `coalesce((t."amount" >= 0.50), false)`,
		`event == "'); drop table x; --"`: `(t."event" IS NOT DISTINCT FROM '''); drop table x; --')`,
	} {
		got, err := translate(expr, testKinds)
		if err != nil || got != want {
			t.Errorf("%s:\n got %s %v\nwant %s", expr, got, err, want)
		}
	}
}

func TestTranslateSaysWhatIsNotSupported(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		``:                                 "the end is not supported here",
		`event`:                            "must be true or false",
		`"x"`:                              "must be true or false",
		`nobody == 1`:                      `"nobody" is not a column of the table`,
		`upper(event) == "A"`:              `"upper" is not a column of the table`,
		`event("x")`:                       "calls are not supported here",
		`event == 1`:                       "the two sides of == are of different kinds",
		`at > "2026-01-01"`:                "the two sides of > are of different kinds",
		`event in "A"`:                     "in needs a list: [a, b]",
		`event in []`:                      "the list after in is empty",
		`event in [event]`:                 "the list after in holds more than constants",
		`event in [1]`:                     "the list after in holds another kind than the column",
		`event in ["a" "b"]`:               "the list after in does not end",
		`event in ["a"`:                    "the list after in does not end",
		`(ok`:                              "a parenthesis is not closed",
		`ok ok`:                            `"ok" is not supported here`,
		`event == "a`:                      "a text does not end",
		`event == "\q"`:                    "a text has a wrong escape",
		`event + "a" == "b"`:               `"+" is not supported here`,
		`n == 1.`:                          `"1." is not a number`,
		`n == 1.2.3`:                       `"1.2.3" is not a number`,
		`n and ok`:                         "both sides of and must be true or false",
		`not n`:                            "what follows not must be true or false",
		`event matches "a.*"`:              `"matches" is not supported here`,
		`ok ? true : false`:                `"?" is not supported here`,
		strings.Repeat("not ", 200) + "ok": "is nested too deep",
		strings.Repeat("(", 200) + "ok":    "is nested too deep",
	} {
		if got, err := translate(expr, testKinds); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %s %v\nwant %s", expr, got, err, want)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	for _, s := range []string{`event in ["A11", 'A23']`, "ok and not (n >= -1.5 or event == `x`)", `event not in ["\u00e9"]`, `"`, `in`, `not in`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sql, err := translate(s, testKinds)
		if err != nil {
			return
		}
		// Outside of quotes nothing may stand but what the translator wrote.
		rest, quote := []byte{}, byte(0)
		for i := range len(sql) {
			switch c := sql[i]; {
			case quote == 0 && (c == '\'' || c == '"'):
				quote = c
			case quote == c:
				quote = 0
			case quote == 0:
				rest = append(rest, c)
			}
		}
		if quote != 0 || strings.ContainsAny(string(rest), ";\\") || strings.Contains(string(rest), "--") {
			t.Errorf("%q became %q", s, sql)
		}
	})
}
