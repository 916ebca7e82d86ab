package e2e

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"medlake/shared/archive/lock"
)

// readme is the commands of the README: its indented lines, but for drawings.
func readme(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for block := range strings.SplitSeq(string(text), "\n\n") {
		if !strings.HasPrefix(block, "    ") || strings.Contains(block, "->") {
			continue
		}
		for line := range strings.Lines(block) {
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	return commands
}

// TestReadmeCommandsAreReal knows every command of the README, so that a new one needs a test too. TestMain has built
// medlake as the README says.
func TestReadmeCommandsAreReal(t *testing.T) {
	t.Parallel()
	help, err := exec.CommandContext(t.Context(), program, "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, c := range readme(t) {
		switch word, rest, _ := strings.Cut(c, " "); {
		case slices.Contains([]string{"go run ./local demo", "go test ./...", "go build -o medlake ./local"}, c),
			// Tests of infra/image and tests/kube try the two; the first is tests itself.
			slices.Contains([]string{"go run ./tests/cloud", "go -C infra/image run . --metadata ../../metadata --out /tmp/medlake-image", "kubectl kustomize infra/knative/overlays/onprem"}, c):
			seen[c]++
		case strings.HasPrefix(c, "go test -run '^$' -bench "):
			benchmark(t, c)
		case word == "medlake":
			seen["medlake"]++
			if !strings.Contains(string(help), "  medlake "+strings.Join(strings.Fields(rest), " ")+"\n") {
				t.Errorf("%q is not what medlake help says:\n%s", c, help)
			}
			flags(t, rest)
		case slices.Contains([]string{"mkdir", "printf", "curl", "./medlake"}, word): // TestReadmeStartsALake runs them
			seen["own"]++
		default:
			t.Errorf("no test knows the README's command %q", c)
		}
	}
	if len(seen) != 8 || seen["medlake"] != 13 || seen["own"] != 6 {
		t.Errorf("the README has other commands than this test was written for: %v", seen)
	}
}

var flagName = regexp.MustCompile(`--([a-z-]+)(?: ([A-Za-z|]+))?`)

// flags checks that a command takes every flag that its usage shows: flags before --help are parsed.
func flags(t *testing.T, usage string) {
	t.Helper()
	command, _, _ := strings.Cut(usage, " ")
	args := []string{command}
	for _, f := range flagName.FindAllStringSubmatch(usage, -1) {
		args = append(args, "--"+f[1])
		if value := map[string]string{"N": "1", "DURATION": "1h"}; f[2] != "" {
			args = append(args, cmp.Or(value[f[2]], "value"))
		}
	}
	out, err := exec.CommandContext(t.Context(), program, append(args, "--help")...).CombinedOutput()
	if err != nil || !bytes.HasPrefix(out, []byte("medlake "+command)) {
		t.Errorf("medlake %v: %v: %s", args, err, out)
	}
}

// benchmark checks that a command names a benchmark of tests/bench, and flags that its package or go test has.
func benchmark(t *testing.T, command string) {
	t.Helper()
	var code []byte
	for _, f := range glob(t, "../bench/*_test.go") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		code = append(code, text...)
	}
	name := strings.Fields(command)[5]
	if !bytes.Contains(code, []byte("func Benchmark"+name)) {
		t.Errorf("%q: there is no benchmark %s", command, name)
	}
	for _, f := range regexp.MustCompile(` -([a-z]+) `).FindAllStringSubmatch(command, -1) {
		own := bytes.Contains(code, []byte(`("`+f[1]+`"`))
		if !own && !slices.Contains([]string{"run", "bench", "benchtime", "timeout"}, f[1]) {
			t.Errorf("%q: there is no flag -%s", command, f[1])
		}
	}
}

// TestReadmeDemo runs the README's first command to its end.
func TestReadmeDemo(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), program, "demo", "--once", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("demo: %v\n%s", err, stderr.Bytes())
	}
	for pattern, want := range map[string]int{
		`(?m)^Sending 10 locked zips of three customers to http://127\.0\.0\.1:\d+\.$`:          1,
		`(?m)^(acme|stmary|lakeside) +\S+\.zip +\S`:                                             10,
		`(?m)^ +loaded: \d+ rows in \d+ tables, 0 rejects \(\d+ ms from upload to queryable\)$`: 8,
		`(?m)^ +duplicate: its rows are there already`:                                          1,
		`(?m)^ +quarantined: truncated; the bytes are kept`:                                     1,
		`(?m)^\(\d+ rows\)$`:     6,
		`(?m)^ ER-1 +\| A03 +\|`: 1, // its transfer came late
		`(?m)^ ER-3 `:            0, // cancelled
		`(?m)^ ER-4 +\| A13 +\|[^|]+\| E-4 +\|[^|]+\| NULL$`: 1, // its discharge was cancelled
	} {
		if got := len(regexp.MustCompile(pattern).FindAll(out, -1)); got != want {
			t.Errorf("%d times %s, want %d in:\n%s", got, pattern, want, out)
		}
	}
}

// TestReadmeStartsALake follows the README to a lake of one's own: secrets, run, an upload, a question.
func TestReadmeStartsALake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	meta, err := filepath.Abs("../../metadata")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"medlake": program, "metadata": meta} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	sample := lock.File{Name: "supplies.csv", Data: []byte("DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,QUANTITY\n2026-03-05,P1,E1,C1,gauze,2\n")}
	zip := packed(t, lock.AES256, "password of the zips", 9, sample)
	if err := os.WriteFile(filepath.Join(dir, "clinical.zip"), zip, 0o600); err != nil {
		t.Fatal(err)
	}
	shell := func(line string) string {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	s := &server{t: t, lake: &lakeDir{dir: filepath.Join(dir, "medlake-data"), metadata: meta}}
	for _, c := range readme(t) {
		switch word, _, _ := strings.Cut(c, " "); {
		case word == "mkdir" || word == "printf":
			shell(c)
		case c == "./medlake run &":
			s.start() // on a free port
			defer s.end()
		case word == "curl":
			if _, err := exec.LookPath("curl"); err != nil {
				t.Skip("curl is not here")
			}
			if out := shell(strings.Replace(c, "http://127.0.0.1:8080", s.url, 1)); !strings.Contains(out, `"arrival"`) {
				t.Errorf("%s: %s", c, out)
			}
		case word == "./medlake":
			s.poll("the upload in ops.loads", func() bool { return strings.Contains(shell(c), "loaded") })
			if out := shell(c); !strings.Contains(out, "landing/acme/") {
				t.Errorf("%s: %s", c, out)
			}
		}
	}
}
