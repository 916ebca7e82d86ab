package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"medlake/shared/metadata"
)

// tables lists the tables of the lake's metadata.
func tables(t *testing.T, l *lakeDir) []*metadata.Table {
	t.Helper()
	set, faults := metadata.Load(os.DirFS(l.metadata))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return set.Tables
}

// census is what every table holds: its rows and a hash of them that does not depend on their order.
func census(t *testing.T, l *lakeDir) map[string]string {
	t.Helper()
	var parts []string
	for _, x := range tables(t, l) {
		parts = append(parts, fmt.Sprintf("(SELECT count(*) || ' rows, hash ' || coalesce(sum(hash(x)::HUGEINT), 0) FROM %s x) AS %s", x.Target(), x.Name))
	}
	out := map[string]string{}
	for name, v := range l.ask(t, "SELECT "+strings.Join(parts, ", ")) {
		out[name] = string(v)
	}
	return out
}

// balance checks the books: one line an arrival, read = committed + filtered + rejected, and the tables hold exactly what
// was committed and rejected.
func balance(t *testing.T, l *lakeDir, arrivals int) {
	t.Helper()
	var counts []string
	for _, x := range tables(t, l) {
		counts = append(counts, fmt.Sprintf("(SELECT count(*) FROM %s)", x.Target()))
	}
	row := l.ask(t, `SELECT count(*) AS arrivals, count(DISTINCT arrival) AS ids,
		count(*) FILTER (read <> committed + filtered + rejected) AS unbalanced,
		coalesce(sum(committed), 0)::BIGINT AS committed, coalesce(sum(rejected), 0)::BIGINT AS rejected,
		`+strings.Join(counts, " + ")+` AS rows, (SELECT count(*) FROM ops.rejects) AS rejects FROM ops.loads`)
	n := map[string]int64{}
	for k, v := range row {
		var x int64
		if err := json.Unmarshal(v, &x); err != nil {
			t.Fatal(err)
		}
		n[k] = x
	}
	if n["arrivals"] != int64(arrivals) || n["ids"] != int64(arrivals) {
		t.Errorf("ops.loads has %d lines of %d arrivals, want %d", n["arrivals"], n["ids"], arrivals)
	}
	if n["unbalanced"] != 0 || n["committed"] != n["rows"] || n["rejected"] != n["rejects"] {
		t.Errorf("the books do not balance: %v", n)
	}
}
