package metadata_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"medlake/shared/metadata"
	"medlake/shared/transform"
)

// TestReadmeExampleCompiles adds the table and the feed of README.md to the set.
func TestReadmeExampleCompiles(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	readme := string(files["README.md"].Data)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme, -1)
	for _, b := range blocks {
		kind, _, _ := strings.Cut(b[1], ":")
		files[kind+"s/labs.yaml"] = &fstest.MapFile{Data: []byte(b[1])}
	}
	set, faults := metadata.Load(files)
	_, more := transform.Compile(set)
	for _, f := range append(faults, more...) {
		t.Error(f)
	}
	if set.Feed("labs") == nil {
		t.Error("README.md has no feed labs")
	}
}
