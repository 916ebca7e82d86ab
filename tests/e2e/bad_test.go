package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// marker is a name that stands in values, member names and file names, and nowhere else.
const marker = "Quillfeather"

// upload is one file and what must become of it.
type upload struct {
	path    string // it is sent as
	data    []byte
	status  string
	reason  string
	where   string // entry, line, column, rule of ops.loads, as JSON
	rows    map[string]int64
	rejects int64
}

// verdict is what load and ops.loads say of an upload.
type verdict struct {
	Path, Status, Reason, Where string
	Rows                        map[string]int64
	Rejects                     int64
}

func verdicts(all []upload) []verdict {
	var out []verdict
	for _, u := range all {
		out = append(out, verdict{u.path, u.status, u.reason, u.where, u.rows, u.rejects})
	}
	return out
}

// TestBadInput sends everything that can be wrong with a file. Each is answered with its reason, its bytes stay, the books
// balance, and nothing that medlake says or keeps beside the tables names a patient.
func TestBadInput(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	said := &bytes.Buffer{}
	want := map[string][]upload{"acme": badArchives(t), "stmary": badDocuments(t), "lakeside": badTables(t)}
	sent := 0
	for _, customer := range []string{"acme", "stmary", "lakeside"} {
		got := l.loadAll(t, said, customer, want[customer])
		if diff := cmp.Diff(verdicts(want[customer]), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", customer, diff)
		}
		sent += len(got)
	}
	l.rejects(t)
	balance(t, l, sent)
	for customer, all := range want {
		l.kept(t, customer, all)
	}
	silent(t, "medlake load", said.Bytes())
	l.discreet(t)
}

// loadAll loads files with one call of medlake and returns what it and ops.loads say of each.
func (l *lakeDir) loadAll(t *testing.T, said *bytes.Buffer, customer string, all []upload) []verdict {
	t.Helper()
	dir := t.TempDir()
	args := []string{"load", "--json", "--customer", customer}
	quarantined := false
	for _, u := range all {
		file := filepath.Join(dir, filepath.FromSlash(u.path))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, u.data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, u.path)
		quarantined = quarantined || u.status == "quarantined"
	}
	out, code := l.in(t, said, dir, args...)
	if (code == 1) != quarantined || code > 1 {
		t.Errorf("exit code %d", code)
	}
	wheres := l.wheres(t, customer)
	var got []verdict
	for line := range bytes.Lines(out) {
		var r loaded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		v := verdict{all[len(got)].path, r.Status, r.Reason, wheres[r.Arrival], nil, r.Rejects}
		for table, n := range r.Rows {
			if n > 0 {
				v.Rows = merged(v.Rows, table, n)
			}
		}
		got = append(got, v)
	}
	return got
}

func merged(m map[string]int64, table string, n int64) map[string]int64 {
	if m == nil {
		m = map[string]int64{}
	}
	m[table] = n
	return m
}

// in runs medlake in a folder, with the lake's flags, and keeps what it prints.
func (l *lakeDir) in(t *testing.T, said *bytes.Buffer, dir string, args ...string) (out []byte, code int) {
	t.Helper()
	meta, err := filepath.Abs(l.metadata)
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, append([]string{args[0], "--data", l.dir, "--metadata", meta}, args[1:]...)...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "TMPDIR="+temp), l.at...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	said.Write(stdout.Bytes())
	said.Write(stderr.Bytes())
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("%d files stay in the temporary folder: %v", len(left), err)
	}
	return stdout.Bytes(), cmd.ProcessState.ExitCode()
}

// wheres is the place that ops.loads gives for each arrival of a customer.
func (l *lakeDir) wheres(t *testing.T, customer string) map[string]string {
	t.Helper()
	out, _ := l.command(t, "sql", "--as", "json", "--customer", customer, "SELECT arrival, entry, line, column_name AS c, rule FROM ops.loads")
	var rows []struct {
		Arrival     string
		Entry, Line *int
		C, Rule     *string
	}
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatal(err)
	}
	wheres := map[string]string{}
	for _, r := range rows {
		where := ""
		if r.Entry != nil {
			where += fmt.Sprintf("entry %d", *r.Entry)
		}
		if r.Line != nil {
			where += fmt.Sprintf(" line %d", *r.Line)
		}
		if r.C != nil {
			where += " column " + *r.C
		}
		if r.Rule != nil {
			where += " rule " + *r.Rule
		}
		wheres[r.Arrival] = where
	}
	return wheres
}

// reject is a line of ops.rejects.
type reject struct {
	Customer, Table, Column, Rule string
	Entry, Line, Row              int
}

// rejects checks where ops.rejects says the bad records stand.
func (l *lakeDir) rejects(t *testing.T) {
	t.Helper()
	out, _ := l.command(t, "sql", "--as", "json", `SELECT customer, table_name AS "table", column_name AS "column", rule, _entry AS entry, line, _row AS row
		FROM ops.rejects ORDER BY ALL`)
	var got []reject
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := []reject{
		{"lakeside", "lake.supplies", "patient_id", "required", 0, 4, 3},
		{"lakeside", "lake.supplies", "quantity", "type", 0, 151, 150},
		{"lakeside", "lake.supplies", "supplied_on", "type", 0, 3, 2},
		{"lakeside", "lake.supplies", "", "ragged", 0, 5, 4},
		{"stmary", "lake.visits", "event_at", "type", 137, 11, 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ops.rejects (-want +got):\n%s", diff)
	}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// TestUnreadableArgument: what cannot be read at all exits 2 before anything is stored, and says no name.
func TestUnreadableArgument(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	said := &bytes.Buffer{}
	for _, args := range [][]string{
		{"load", "--customer", "acme", marker + ".zip"},
		{"load", "--customer", "acme", "."},
		{"load", "--customer", "acme", "--as", "synthea/" + marker + "/", "."},
		{"load", "--customer", "ghost", filepath.Join(glob(t, "../../metadata/README.md")[0])},
	} {
		if out, code := l.in(t, said, ".", args...); code != 2 || len(out) > 0 {
			t.Errorf("%v: exit code %d, %s", args, code, out)
		}
	}
	silent(t, "medlake load", said.Bytes())
	if len(l.objects(t, "landing/")) > 0 {
		t.Error("something was stored")
	}
}

// TestBadInputThroughTheDoor: a serving lake answers the same, and its log and receipts are as discreet.
func TestBadInputThroughTheDoor(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	s := &server{t: t, lake: l}
	s.start()
	all := badArchives(t)
	for _, u := range all {
		arrival, err := s.put(u.path, u.data)
		if err != nil {
			t.Fatal(err)
		}
		var answer []byte
		s.poll("a receipt", func() bool {
			var code int
			code, answer, err = s.do(http.MethodGet, "/v1/receipts/"+arrival, nil)
			return err == nil && code == http.StatusOK
		})
		silent(t, "a receipt", answer)
		var r loaded
		if err := json.Unmarshal(answer, &r); err != nil {
			t.Fatal(err)
		}
		if r.Status != u.status || r.Reason != u.reason || r.Rejects != u.rejects {
			t.Errorf("%s: %s %s with %d rejects, want %s %s with %d", u.path, r.Status, r.Reason, r.Rejects, u.status, u.reason, u.rejects)
		}
	}
	s.end()
	silent(t, "the log of medlake run", s.log.Bytes())
	l.kept(t, "acme", all)
	balance(t, l, len(all))
	l.discreet(t)
}
