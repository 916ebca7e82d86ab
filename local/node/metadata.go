package node

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"medlake/shared/metadata"
	"medlake/shared/query"
	"medlake/shared/transform"
)

// Metadata reads and compiles the metadata in a folder. All faults come at once, as metadata.Faults.
func Metadata(dir string) (*transform.Library, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("no metadata in %s: name the folder with --metadata: %w", dir, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("the metadata %s is no folder: %w", dir, fs.ErrInvalid)
	}
	library, faults := transform.Load(os.DirFS(dir))
	for _, t := range library.Set().Tables {
		faults = append(faults, query.Check(t)...)
	}
	if len(faults) == 0 {
		return library, nil
	}
	for i := range faults {
		faults[i].File = filepath.Join(dir, faults[i].File)
	}
	return nil, metadata.Faults(metadata.SortFaults(faults))
}
