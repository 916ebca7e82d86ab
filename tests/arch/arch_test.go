// Package arch holds the rules of the project's shape as tests: imports point one way, each large dependency has one
// owner, packages say what they are, and files stay small.
package arch

import (
	"strings"
	"testing"
)

const module = "medlake/"

// order lists the packages of shared: a package imports only those before it. A subpackage ranks with its parent.
var order = []string{
	"pace", "lake",
	"metadata", "store", "secret", "audit",
	"archive", "format",
	"transform",
	"datafile", "warehouse",
	"query", "faas",
}

// fences names who may import each large dependency: the longest prefix counts.
var fences = map[string][]string{
	"C":                                      {},
	"github.com/apache/iceberg-go":           {"shared/warehouse"},
	"github.com/cloudevents/sdk-go":          {"shared/faas"},
	"github.com/cloudevents/sdk-go/v2/event": {"shared/faas", "functions", "local"}, // the type that handlers take
	"github.com/duckdb/duckdb-go":            {"local"},
	"github.com/expr-lang/expr":              {"shared/transform"},
	"github.com/jackc/pgx":                   {"shared/warehouse"},
	"github.com/klauspost/compress":          {"shared/archive"},
	"github.com/parquet-go/parquet-go":       {"shared/datafile"},
	"github.com/trinodb/trino-go-client":     {"shared/query"},
	"gocloud.dev/blob":                       {"shared/store"},
	"gocloud.dev/pubsub":                     {"shared/faas"},
	"gocloud.dev/runtimevar":                 {"shared/secret"},
	"gocloud.dev/secrets":                    {"shared/secret"},
	"golang.org/x/text":                      {"shared/format"},
	"gopkg.in/yaml.v3":                       {"shared/metadata"},
	"go.opentelemetry.io":                    {"shared/faas"},
	"knative.dev/pkg":                        {"shared/faas"},
	"modernc.org/sqlite":                     {"shared/warehouse"},

	// For tests, with the suites they share; archives are written with the standard library, none is read.
	"archive/zip":                     {"shared/archive/lock"},
	"github.com/google/go-cmp":        {"shared/query/querytest"},
	"github.com/rogpeppe/go-internal": {},
	"testing":                         {"shared/query/querytest", "shared/datafile/datafiletest", "shared/warehouse/warehousetest"},
}

// TestImports reads the files that are built into the product; tests may import what they like.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, f := range source(t) {
		if f.test || top(f.name) == "tests" {
			continue
		}
		for _, imp := range f.imports {
			if fault := wrong(f.pkg(), imp); fault != "" {
				t.Errorf("%s imports %s: %s", f.name, imp, fault)
			}
		}
	}
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pkg, imp string
		wrong    bool
	}{
		{"shared/store", "medlake/shared/lake", false},
		{"shared/store", "medlake/shared/store/durable", false},
		{"shared/store/durable", "medlake/shared/store", false},
		{"shared/store/durable", "medlake/shared/lake", false},
		{"shared/store/durable", "medlake/shared/warehouse", true},
		{"shared/lake", "medlake/shared/store", true},
		{"shared/newcomer", "medlake/shared/lake", true},
		{"shared/lake", "medlake/shared/newcomer", true},
		{"shared/faas", "medlake/functions/ingest", true},
		{"functions", "medlake/functions/ingest", false},
		{"functions/ingest", "medlake/functions/ingest/child", false},
		{"functions/ingest", "medlake/functions/commit", true},
		{"functions/ingest", "medlake/local", true},
		{"functions/ingest", "medlake/shared/faas", false},
		{"functions/ingest", "medlake/tests/bench", true},
		{"local/door", "medlake/functions/ingest", false},
		{"local/door", "medlake/local/drop", false},
		{"shared/store/durable", "gocloud.dev/blob/driver", false},
		{"shared/storefront", "gocloud.dev/blob/driver", true},
		{"functions/ingest", "gocloud.dev/blob", true},
		{"functions/ingest", "gocloud.dev/gcerrors", false},
		{"functions/ingest", "github.com/cloudevents/sdk-go/v2/event", false},
		{"functions/ingest", "github.com/cloudevents/sdk-go/v2/client", true},
		{"local", "github.com/duckdb/duckdb-go/v2", false},
		{"shared/query", "github.com/duckdb/duckdb-go/v2", true},
		{"shared/archive", "archive/zip", true},
		{"shared/archive", "os", false},
	} {
		if got := wrong(tt.pkg, tt.imp); (got != "") != tt.wrong {
			t.Errorf("%s imports %s: got %q, want a fault: %v", tt.pkg, tt.imp, got, tt.wrong)
		}
	}
}

// wrong says why the package may not import imp; empty if it may.
func wrong(pkg, imp string) string {
	to, ours := strings.CutPrefix(imp, module)
	if !ours {
		if owners, fenced := owners(imp); fenced && !within(pkg, owners) {
			if len(owners) == 0 {
				return "only tests may"
			}
			return "only " + strings.Join(owners, ", ") + " may"
		}
		return ""
	}
	from := top(pkg)
	switch {
	case top(to) == "tests":
		return "nothing imports tests"
	case from == "shared" && top(to) != "shared":
		return "shared imports only shared"
	case from == "shared" && (rank(pkg) < 0 || rank(to) < 0):
		return "not in the order of packages"
	case from == "shared" && rank(to) >= rank(pkg) && part(pkg, 1) != part(to, 1):
		return "it does not come before"
	case from == "functions" && top(to) == "local":
		return "functions do not import local"
	case from == "functions" && pkg != "functions" && top(to) == "functions" && part(pkg, 1) != part(to, 1):
		return "functions do not import each other"
	}
	return ""
}

// owners finds the fence around an import.
func owners(imp string) (pkgs []string, fenced bool) {
	best := ""
	for prefix, p := range fences {
		if below(imp, prefix) && len(prefix) > len(best) {
			best, pkgs, fenced = prefix, p, true
		}
	}
	return pkgs, fenced
}

func within(pkg string, owners []string) bool {
	for _, o := range owners {
		if below(pkg, o) {
			return true
		}
	}
	return false
}

// below reports whether the path is dir or in it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// rank is the place of a package of shared in the order, -1 if it has none.
func rank(pkg string) int {
	for i, name := range order {
		if part(pkg, 1) == name {
			return i
		}
	}
	return -1
}

func top(p string) string { return part(p, 0) }

// part is the nth part of a path, empty if there is none.
func part(p string, n int) string {
	parts := strings.Split(p, "/")
	if n >= len(parts) {
		return ""
	}
	return parts[n]
}
