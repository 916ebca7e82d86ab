// Package tests holds what the clouds' modules of Terraform have in common, as far as it can be read without their plugins.
package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestOutputs: the clouds' modules have the same outputs, those of the type that their tests hand them to; the module of
// Kubernetes has those names that make sense there.
func TestOutputs(t *testing.T) {
	t.Parallel()
	lake := names(t, `(?m)^    ([a-z_]+) += (?:string|map\()`, "outputs", "main.tf")
	if len(lake) < 10 {
		t.Fatalf("the type of the outputs was not understood: %v", lake)
	}
	output := `(?m)^output "([a-z_]+)"`
	for _, cloud := range []string{"aws", "azure", "gcp"} {
		if got := names(t, output, "..", "modules", cloud, "outputs.tf"); !slices.Equal(got, lake) {
			t.Errorf("outputs of %s:\ngot  %v\nwant %v", cloud, got, lake)
		}
	}
	got := names(t, output, "..", "modules", "kubernetes", "outputs.tf")
	for _, name := range []string{"annotations", "bucket_url", "catalog_url", "environment", "events_url", "identities", "secrets_url"} {
		if !slices.Contains(got, name) {
			t.Errorf("the module of Kubernetes lacks the output %s", name)
		}
	}
}

// names are what the pattern finds in the file, sorted.
func names(t *testing.T, pattern string, path ...string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
		found = append(found, string(m[1]))
	}
	slices.Sort(found)
	return found
}
