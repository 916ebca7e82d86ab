package node

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/query"
	"medlake/shared/transform"
)

// Faults is metadata that cannot be used: every fault with its place.
type Faults struct {
	Dir    string
	Faults []metadata.Fault
}

func (f Faults) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the metadata has %d faults", len(f.Faults))
	if len(f.Faults) == 1 {
		b.Reset()
		b.WriteString("the metadata has a fault")
	}
	for _, x := range f.Faults {
		x.File = filepath.Join(f.Dir, x.File)
		b.WriteString("\n" + x.Error())
	}
	return b.String()
}

// Unwrap makes the faults an lake.ErrInvalid.
func (f Faults) Unwrap() error { return lake.ErrInvalid }

// Metadata reads and compiles the metadata in a folder. All faults come at once, as Faults.
func Metadata(dir string) (*transform.Library, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("no metadata in %s: name the folder with --metadata: %w", dir, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("the metadata %s is no folder: %w", dir, fs.ErrInvalid)
	}
	set, faults := metadata.Load(os.DirFS(dir))
	library, more := transform.Compile(set) // also what is good in a set with faults: all faults come at once
	faults = append(faults, more...)
	for _, t := range set.Tables {
		faults = append(faults, query.Check(t)...)
	}
	if len(faults) > 0 {
		return nil, Faults{dir, metadata.SortFaults(faults)}
	}
	return library, nil
}
