package transform_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/transform"
)

// TestReference keeps the authors' page equal to the functions.
func TestReference(t *testing.T) {
	t.Parallel()
	const page = "../../metadata/EXPRESSIONS.md"
	if *update {
		if err := os.WriteFile(page, transform.Reference(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(transform.Reference()), string(got)); diff != "" {
		t.Errorf("%s is not up to date, run go test ./shared/transform -update (-want +got):\n%s", page, diff)
	}
}
