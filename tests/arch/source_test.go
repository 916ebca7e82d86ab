package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is the project's folder; roots are the folders in it that hold its Go code.
const root = "../.."

var roots = []string{"functions", "local", "metadata", "shared", "tests"}

// file is one Go file of the project.
type file struct {
	name    string // below root, with slashes
	test    bool
	lines   int
	syntax  *ast.File
	imports []string
}

// pkg is the folder of the file: its import path without the module.
func (f file) pkg() string { return path.Dir(f.name) }

// source parses the project. It reads the files itself: `go list` would be cached by the test cache, and a change would
// go unseen.
func source(t *testing.T) []file {
	t.Helper()
	var files []file
	for _, dir := range roots {
		err := filepath.WalkDir(filepath.Join(root, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if skipped(name, d.Name()) {
					return fs.SkipDir
				}
				return nil
			}
			if !strings.HasSuffix(name, ".go") {
				return nil
			}
			f, err := parse(name)
			files = append(files, f)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// skipped reports whether the folder is none of ours: data of tests, or a module of its own.
func skipped(name, base string) bool {
	if base == "testdata" || strings.HasPrefix(base, ".") && base != ".." || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

func parse(name string) (file, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return file{}, err
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, b, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return file{}, err
	}
	f := file{
		name: filepath.ToSlash(rel), test: strings.HasSuffix(name, "_test.go"),
		lines: bytes.Count(b, []byte("\n")), syntax: syntax,
	}
	for _, spec := range syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, p)
	}
	return f, nil
}

// generated reports whether a program wrote the file.
func (f file) generated() bool { return ast.IsGenerated(f.syntax) }
