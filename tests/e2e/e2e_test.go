// Package e2e runs the real program on real files and compares what SQL says with what others counted in the files. It has
// tests only.
package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"medlake/shared/archive/lock"
	"medlake/shared/warehouse/warehousetest"
)

// program is the medlake binary, built once.
var program string

// builtProgram tells a test's own child where it is.
const builtProgram = "MEDLAKE_TEST_PROGRAM"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if program = os.Getenv(builtProgram); program != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "medlake-e2e-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "medlake")
	build := exec.Command("go", "build", "-o", program, "medlake/local")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build medlake: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// realData is the folder of real records, or skips the test.
func realData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MEDLAKE_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "EXPECTED.csv")); err != nil {
		t.Skipf("the real records are not here: set MEDLAKE_DATA to their folder (looked in %s)", dir)
	}
	return dir
}

// lakeDir is a lake under test: in a folder, or with its bucket and catalog where the environment of the tests says.
type lakeDir struct {
	dir      string
	metadata string
	at       []string // what medlake finds in its environment
}

func newLake(t *testing.T) *lakeDir {
	t.Helper()
	l := &lakeDir{dir: t.TempDir(), metadata: "../../metadata"}
	if warehousetest.Remote() {
		l.at = []string{"MEDLAKE_BUCKET=" + warehousetest.Bucket(t, l.dir), "MEDLAKE_CATALOG=" + warehousetest.Catalog(t, l.dir)}
	}
	for _, customer := range []string{"acme", "stmary", "lakeside"} {
		l.secret(t, "zip/"+customer, password(customer)+"\n"+previous(customer)+"\n")
		l.secret(t, "key/"+customer, key(customer)+"\n")
	}
	return l
}

func password(customer string) string { return customer + " Zip-Password 1" }
func previous(customer string) string { return customer + " Zip-Password 0" }
func key(customer string) string      { return customer + "-key" }

func (l *lakeDir) secret(t *testing.T, name, value string) {
	t.Helper()
	file := filepath.Join(l.dir, "secrets", name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command runs medlake in the lake's folder and returns what it prints and its exit code, which is not 2.
func (l *lakeDir) command(t *testing.T, args ...string) (out []byte, code int) {
	t.Helper()
	out, said, code := l.attempt(t, args...)
	if code == 2 {
		t.Fatalf("medlake %s: %s", args[0], said)
	}
	return out, code
}

// attempt is command, which may fail, with what it says on stderr.
func (l *lakeDir) attempt(t *testing.T, args ...string) (out, said []byte, code int) {
	t.Helper()
	meta, err := filepath.Abs(l.metadata)
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{args[0], "--data", l.dir, "--metadata", meta}, args[1:]...)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), l.at...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.Bytes(), stderr.Bytes(), cmd.ProcessState.ExitCode()
}

// loaded is one line of load --json.
type loaded struct {
	Arrival string           `json:"arrival"`
	Load    string           `json:"load"`
	Status  string           `json:"status"`
	Rows    map[string]int64 `json:"rows"`
	Rejects int64            `json:"rejects"`
	Reason  string           `json:"reason"`
}

// send loads one upload as path.
func (l *lakeDir) send(t *testing.T, customer, path string, data []byte) loaded {
	t.Helper()
	file := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := l.command(t, "load", "--json", "--customer", customer, "--as", path, file)
	var r loaded
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return r
}

// ask answers SQL with one row, its columns by name.
func (l *lakeDir) ask(t *testing.T, sql string) map[string]json.RawMessage {
	t.Helper()
	out, _ := l.command(t, "sql", "--as", "json", sql)
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(out, &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%v: %d rows for %s", err, len(rows), sql)
	}
	return rows[0]
}

// pack locks files for a customer.
func pack(t *testing.T, cipher lock.Cipher, password string, salt byte, files ...string) []byte {
	t.Helper()
	var members []lock.File
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, lock.File{Name: filepath.Base(f), Data: data})
	}
	return packed(t, cipher, password, salt, members...)
}

func packed(t *testing.T, cipher lock.Cipher, password string, salt byte, members ...lock.File) []byte {
	t.Helper()
	zip, err := lock.Zip(members, lock.Options{
		Cipher: cipher, Password: password, Random: salts(salt), Modified: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	return zip
}

// salts is a source of salts that are all the same byte.
type salts byte

func (s salts) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files at %s: %v", pattern, err)
	}
	return files
}
