package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/archive/lock"
	"medlake/shared/lake"
)

// resident is the name of a patient who does not exist, in values, member names and file names.
const resident = "Quellington"

// request asks a serving lake with a customer's key; an empty key is none.
func (s *server) request(method, path, key string, body []byte) (code int, answer []byte) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// mixed is an upload with good rows and one reject, which no other call makes.
func mixed(t *testing.T, customer, which string) []byte {
	t.Helper()
	visits := "Id,START,STOP,PATIENT,ORGANIZATION,ENCOUNTERCLASS\n" + which + ",2026-03-05T08:00:00Z,2026-03-05T09:00:00Z," + resident + ",org,wellness\n"
	return packed(t, lock.AES256, password(customer), 5,
		lock.File{Name: "patients.csv", Data: residents(which)},
		lock.File{Name: "encounters.csv", Data: []byte(visits)})
}

// residents is patients.csv with three rows and a reject.
func residents(which string) []byte {
	var b bytes.Buffer
	b.WriteString("Id,BIRTHDATE,LAST\n")
	for i := range 3 {
		fmt.Fprintf(&b, "%s %d,1950-02-03,%s\n", which, i, resident)
	}
	fmt.Fprintf(&b, "%s bad,%s,%s\n", which, resident, resident)
	return b.Bytes()
}

// discreetly checks that an answer tells no name, value or password.
func discreetly(t *testing.T, what string, printed []byte) {
	t.Helper()
	for _, word := range []string{resident, password("acme"), previous("acme"), key("acme"), password("stmary"), key("stmary")} {
		if bytes.Contains(printed, []byte(word)) {
			t.Errorf("%s tells %s: %s", what, word, printed)
		}
	}
}

// TestCustomersSeeOnlyTheirOwn tries every door as one customer for what is another's.
func TestCustomersSeeOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	s := &server{t: t, lake: l}
	s.visit()
	discreetly(t, "medlake run", s.log.Bytes())
	l.separate(t)
	l.eraseOne(t)
}

// eraseOne erases a patient of one customer, and then the customer: nothing of another's changes.
func (l *lakeDir) eraseOne(t *testing.T) {
	t.Helper()
	names := l.stored(t)
	landed := l.objects(t, "landing/stmary/")
	before := l.counts(t, "stmary", names)
	for _, what := range [][]string{{"--patient", "put by acme 0"}, {"--all"}} {
		out, code := l.command(t, append([]string{"erase", "--customer", "acme", "--unreadable", "--reason", "test"}, what...)...)
		if code != 0 {
			t.Errorf("erase exits with %d: %s", code, out)
		}
		discreetly(t, "medlake erase", out)
	}
	if d := cmp.Diff(before, l.counts(t, "stmary", names)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(landed, l.objects(t, "landing/stmary/")); d != "" {
		t.Error("uploads of another customer have changed")
	}
	if n := len(l.objects(t, "landing/acme/")); n > 0 {
		t.Errorf("%d uploads are left", n)
	}
	if got := l.asks(t, "acme", "SELECT count(*) AS n FROM patients")["n"]; string(got) != "0" {
		t.Errorf("%s patients are left", got)
	}
}

// stored are the names of all tables: also of the ledgers, and of the logs and histories of those that change.
func (l *lakeDir) stored(t *testing.T) []string {
	t.Helper()
	names := []string{lake.OpsLoads, lake.OpsRejects}
	for _, x := range tables(t, l) {
		names = append(names, x.ID())
		if x.Target() != x.ID() {
			names = append(names, x.Target(), x.ID()+"_history")
		}
	}
	return names
}

// counts are the rows that a customer sees.
func (l *lakeDir) counts(t *testing.T, customer string, names []string) map[string]json.RawMessage {
	t.Helper()
	var parts []string
	for i, name := range names {
		parts = append(parts, fmt.Sprintf("(SELECT count(*) FROM %s) AS t%d", name, i))
	}
	return l.asks(t, customer, "SELECT "+strings.Join(parts, ", "))
}

// visit serves the lake, sends uploads of two customers and tries its doors.
func (s *server) visit() {
	t := s.t
	s.start()
	defer s.end()
	arrivals := map[string]string{}
	for _, c := range []string{"acme", "stmary"} {
		arrivals[c] = s.arrive(key(c), "synthea/"+resident+".zip", mixed(t, c, "put by "+c))
	}
	s.lake.drop(t, "stmary/synthea/"+resident+".zip", mixed(t, "stmary", "dropped"))
	s.lake.drop(t, "synthea.zip", mixed(t, "acme", "nobody's")) // in nobody's folder
	s.poll("three receipts", func() bool { return string(s.lake.ask(t, "SELECT count(*) AS n FROM ops.loads")["n"]) == "3" })
	s.receipts(arrivals)
	s.doors()
	code, page := s.request(http.MethodGet, "/", "", nil)
	if code != http.StatusOK || !bytes.Contains(page, []byte(arrivals["acme"])) {
		t.Errorf("the status page: %d %s", code, page)
	}
	discreetly(t, "the status page", page)
}

// arrive puts an upload and returns its arrival.
func (s *server) arrive(key, path string, body []byte) string {
	s.t.Helper()
	code, answer := s.request(http.MethodPut, "/v1/files/"+path, key, body)
	var a struct{ Arrival string }
	if err := json.Unmarshal(answer, &a); err != nil || code != http.StatusCreated {
		s.t.Fatalf("put: %d %s", code, answer)
	}
	return a.Arrival
}

// receipts asks for each receipt with each key.
func (s *server) receipts(arrivals map[string]string) {
	s.t.Helper()
	unknown := lake.Hash("an arrival that is none")
	for owner, arrival := range arrivals {
		for _, asks := range []string{"acme", "stmary", "lakeside"} {
			code, answer := s.request(http.MethodGet, "/v1/receipts/"+arrival, key(asks), nil)
			discreetly(s.t, "a receipt", answer)
			if asks == owner {
				if code != http.StatusOK {
					s.t.Errorf("%s's own receipt: %d %s", owner, code, answer)
				}
				continue
			}
			code2, answer2 := s.request(http.MethodGet, "/v1/receipts/"+unknown, key(asks), nil)
			if code != http.StatusNotFound || code2 != code || !bytes.Equal(answer, answer2) {
				s.t.Errorf("%s's receipt for %s: %d %s; one that is not there: %d %s", owner, asks, code, answer, code2, answer2)
			}
		}
		for _, k := range []string{"", "guess", password(owner), strings.ToUpper(key(owner))} {
			if code, answer := s.request(http.MethodGet, "/v1/receipts/"+arrival, k, nil); code != http.StatusUnauthorized {
				s.t.Errorf("receipt with a wrong key: %d %s", code, answer)
			}
		}
	}
}

// doors tries to put files where another customer's lie. The key alone decides whose they are.
func (s *server) doors() {
	s.t.Helper()
	for _, path := range []string{"stmary/synthea/x.zip", "%2e%2e/stmary/x.zip", "..%2fstmary%2fx.zip", "a/..%2f..%2fstmary/x.zip", "..%5cstmary%5cx.zip", "%2fstmary/x.zip", "stmary%00/x.zip"} {
		code, answer := s.request(http.MethodPut, "/v1/files/"+path, key("acme"), []byte(resident+path))
		discreetly(s.t, "the answer to a put", answer)
		if code == http.StatusCreated != strings.HasPrefix(path, "stmary/") {
			s.t.Errorf("put %s: %d %s", path, code, answer)
		}
	}
	for _, k := range []string{"", "guess", password("acme")} {
		if code, answer := s.request(http.MethodPut, "/v1/files/stmary/x.zip", k, []byte(resident)); code != http.StatusUnauthorized {
			s.t.Errorf("put with a wrong key: %d %s", code, answer)
		}
	}
	s.landed()
	s.poll("the receipt of what acme put", func() bool { return string(s.lake.ask(s.t, "SELECT count(*) AS n FROM ops.loads")["n"]) == "4" })
}

// landed counts the uploads below each customer, and looks for the file that is in nobody's drop folder.
func (s *server) landed() {
	s.t.Helper()
	for customer, want := range map[string]int{"acme": 2, "stmary": 2, "lakeside": 0} {
		n := len(s.lake.objects(s.t, "landing/"+customer+"/"))
		if n != want {
			s.t.Errorf("%d uploads landed as %s's, want %d", n, customer, want)
		}
	}
	if _, err := os.Stat(filepath.Join(s.lake.dir, "drop/synthea.zip")); err != nil {
		s.t.Errorf("a file in nobody's drop folder is gone: %v", err)
	}
}

// drop moves a file into the drop folder.
func (l *lakeDir) drop(t *testing.T, path string, data []byte) {
	t.Helper()
	file := filepath.Join(l.dir, "drop", path)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".part", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".part", file); err != nil {
		t.Fatal(err)
	}
}

// separate asks every table, also the ledgers and the logs and histories of changing tables, as each customer: each sees all of its
// rows and no other.
func (l *lakeDir) separate(t *testing.T) {
	t.Helper()
	names := l.stored(t)
	var own, all strings.Builder
	for i, name := range names {
		fmt.Fprintf(&own, "(SELECT count(*) || ' of ' || coalesce(string_agg(DISTINCT customer, ','), 'nobody') FROM %s) AS t%d, ", name, i)
		fmt.Fprintf(&all, "(SELECT count(*) || ' of ' || coalesce(string_agg(DISTINCT customer, ','), 'nobody') FROM %s WHERE customer = '{}') AS t%d, ", name, i)
	}
	for customer, uploads := range map[string]int{"acme": 2, "stmary": 2, "lakeside": 0} {
		sees := l.asks(t, customer, "SELECT "+strings.TrimSuffix(own.String(), ", "))
		has := l.ask(t, "SELECT "+strings.TrimSuffix(strings.ReplaceAll(all.String(), "{}", customer), ", "))
		for i, name := range names {
			column := fmt.Sprintf("t%d", i)
			if string(sees[column]) != string(has[column]) {
				t.Errorf("%s sees in %s %s, has %s", customer, name, sees[column], has[column])
			}
		}
		if want := fmt.Sprintf(`"%d of %s"`, uploads, customer); uploads > 0 && string(sees["t0"]) != want {
			t.Errorf("%s sees %s arrivals, want %s", customer, sees["t0"], want)
		}
	}
}

// asks is ask as a customer.
func (l *lakeDir) asks(t *testing.T, customer, sql string) map[string]json.RawMessage {
	t.Helper()
	out, _ := l.command(t, "sql", "--customer", customer, "--as", "json", sql)
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(out, &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%v: %d rows for %s", err, len(rows), sql)
	}
	return rows[0]
}
