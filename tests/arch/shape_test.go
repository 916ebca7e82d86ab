package arch

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// maxLines bounds a file: one idea.
const maxLines = 300

// vague are names that say nothing.
var vague = []string{"base", "common", "helper", "helpers", "misc", "shared", "type", "types", "util", "utils"}

func TestFilesAreSmall(t *testing.T) {
	t.Parallel()
	for _, f := range source(t) {
		if f.lines > maxLines && !f.generated() {
			t.Errorf("%s has %d lines, at most %d: give its second idea a file", f.name, f.lines, maxLines)
		}
	}
}

// TestPackagesSayWhatTheyAre: one comment a package, on one file, that begins with its name.
func TestPackagesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	docs := map[string]int{}
	for _, f := range source(t) {
		pkg, name := f.pkg(), f.syntax.Name.Name
		if slices.Contains(vague, name) {
			t.Errorf("%s: package %s is named after nothing", f.name, name)
		}
		if f.test && top(pkg) != "tests" {
			continue
		}
		docs[pkg] += 0
		if f.syntax.Doc == nil {
			continue
		}
		docs[pkg]++
		want := "Package " + name + " "
		if name == "main" {
			want = "Command "
		}
		if got := f.syntax.Doc.Text(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: the package comment begins %q, want %q", f.name, strings.SplitAfterN(got, " ", 3)[:2], want)
		}
	}
	for pkg, n := range docs {
		if n != 1 {
			t.Errorf("%s has %d package comments, want one", pkg, n)
		}
	}
}

// TestPackagesAreNamedAfterTheirFolders: one lower-case word.
func TestPackagesAreNamedAfterTheirFolders(t *testing.T) {
	t.Parallel()
	for _, f := range source(t) {
		name := strings.TrimSuffix(f.syntax.Name.Name, "_test")
		if name != "main" && name != path.Base(f.pkg()) || strings.ToLower(name) != name || strings.ContainsAny(name, "_-") {
			t.Errorf("%s: package %s", f.name, name)
		}
	}
}

// TestNoInit: what runs before main cannot be given a clock, a context or an error.
func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, f := range source(t) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", f.name)
			}
		}
	}
}
