package metadata

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const published = "../../metadata"

// TestGeneratedFilesAreCurrent compares metadata/schema.json and REFERENCE.md with the Go types they are made from.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]byte{"schema.json": SchemaJSON(), "REFERENCE.md": Reference()} {
		file := filepath.Join(published, name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s is old: run go test ./shared/metadata -update (-want +got):\n%s", name, d)
		}
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	t.Parallel()
	if !json.Valid(SchemaJSON()) {
		t.Fatal("the schema is not JSON")
	}
	for _, thing := range things {
		documented(t, thing.name, thing.keys)
	}
}

func documented(t *testing.T, of string, keys reflect.Type) {
	for _, k := range keysOf(keys) {
		if k.doc == "" {
			t.Errorf("%s: key %s has no doc", of, k.name)
		}
		if sub := blockOf(k.typ); sub != nil {
			documented(t, of+"."+k.name, sub)
		}
	}
}
