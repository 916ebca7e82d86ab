package kube

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// facts is what the program says of itself, read from its source.
type facts struct {
	roles     map[string]bool // role: can it be asked once
	variables map[string]bool // names of the environment that the program reads
	readme    string          // infra/README.md
}

// needs are the variables that a role cannot do without.
var needs = map[string][]string{
	"ingest":   {"MEDLAKE_BUCKET", "MEDLAKE_METADATA", "MEDLAKE_SECRETS"},
	"commit":   {"MEDLAKE_BUCKET", "MEDLAKE_METADATA", "MEDLAKE_CATALOG"},
	"merge":    {"MEDLAKE_BUCKET", "MEDLAKE_METADATA", "MEDLAKE_CATALOG"},
	"maintain": {"MEDLAKE_BUCKET", "MEDLAKE_METADATA", "MEDLAKE_CATALOG"},
	"sweep":    {"MEDLAKE_BUCKET", "K_SINK"},
	"dead":     {},
}

// measured is the memory in MiB that a role was seen to use, at the concurrency it is let have (README, "Measured").
var measured = map[string]int64{"ingest": 70 + 4*156, "commit": 160, "merge": 70 + 179, "maintain": 70 + 426, "sweep": 160, "dead": 70}

func read(t *testing.T) facts {
	t.Helper()
	f := facts{roles: map[string]bool{}, variables: map[string]bool{}}
	roles(t, f.roles)
	name := regexp.MustCompile(`"(MEDLAKE_[A-Z_]+|K_SINK|PORT)"`)
	for _, dir := range []string{"functions", "shared/faas", "shared/faas/telemetry", "shared/warehouse"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range name.FindAllStringSubmatch(text(t, file), -1) {
				f.variables[m[1]] = true
			}
		}
	}
	f.readme = text(t, filepath.Join(root, "infra/README.md"))
	return f
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// roles reads the table of functions/main.go.
func roles(t *testing.T, into map[string]bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "functions/main.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || spec.Names[0].Name != "roles" {
			return true
		}
		table, ok := spec.Values[0].(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, row := range table.Elts {
			kv := row.(*ast.KeyValueExpr)
			role, err := strconv.Unquote(kv.Key.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			into[role] = false
			if fields, ok := kv.Value.(*ast.CompositeLit); ok {
				for _, e := range fields.Elts {
					if f, ok := e.(*ast.KeyValueExpr); ok && fmt.Sprint(f.Key) == "once" && fmt.Sprint(f.Value) == "true" {
						into[role] = true
					}
				}
			}
		}
		return false
	})
	if len(into) < 5 {
		t.Fatalf("functions/main.go has %d roles", len(into))
	}
}
