package fold

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"medlake/shared/metadata"
)

// meaning is counted up when this package folds the same rows to something else than before.
const meaning = 1

// version hashes what a fold depends on.
func version(t *metadata.Table) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%q\n", meaning, t.Key)
	c := t.Change
	fmt.Fprintf(h, "%q\n%q\n%q\n%q\n", c.Order, c.Keep, c.Replace, c.Delete.Value)
	for _, o := range c.Only {
		fmt.Fprintf(h, "%q %q\n", o.Name, o.Value)
	}
	if c.MergeOn != nil {
		fmt.Fprintf(h, "%q %q\n", c.MergeOn.When.Value, c.MergeOn.From)
	}
	for _, col := range t.Columns {
		fmt.Fprintf(h, "%q %s\n", col.Name, col.Type)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
