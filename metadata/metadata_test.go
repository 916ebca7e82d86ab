// Package metadata_test checks the metadata that Medlake comes with: it compiles, its samples give what they should, and
// real files of every feed land whole.
package metadata_test

import (
	"os"
	"testing"

	"medlake/shared/metadata"
	"medlake/shared/transform"
)

// library compiles the folder's metadata.
func library(t *testing.T) *transform.Library {
	t.Helper()
	set, faults := metadata.Load(os.DirFS("."))
	lib, more := transform.Compile(set)
	faults = append(faults, more...)
	for _, f := range faults {
		t.Error(f)
	}
	if len(faults) > 0 {
		t.FailNow()
	}
	return lib
}

func TestMetadataHasNoFaults(t *testing.T) {
	t.Parallel()
	library(t)
}

func TestMetadataIsDocumented(t *testing.T) {
	t.Parallel()
	set := library(t).Set()
	for _, f := range set.Feeds {
		if f.Doc == "" || len(f.Sample) == 0 || len(f.Expect) == 0 {
			t.Errorf("feed %s lacks doc, sample or expect", f.Name)
		}
	}
	for _, table := range set.Tables {
		if table.Doc == "" || table.Grain == "" {
			t.Errorf("table %s lacks doc or grain", table.Name)
		}
		for _, c := range table.Columns {
			if c.Doc == "" {
				t.Errorf("column %s.%s has no doc", table.Name, c.Name)
			}
		}
	}
}
