package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// A commit adds manifests, and whoever reads the table reads all of them: small ones are merged into few.
const (
	manifestBytes = 8 << 20 // aimed at
	mergeAt       = 100     // so many small ones of a kind make a commit merge them
	rewriteAt     = 10      // and so many are worth a snapshot of their own
)

// RewriteManifests merges the small manifests of the table at h, in a snapshot with the same content. It reports false if
// there are too few to care. Like every change it is pinned to h.
func (w *Warehouse) RewriteManifests(ctx context.Context, h Head) (bool, error) {
	d, err := w.draft(ctx, h)
	if err == nil {
		err = d.merge(rewriteAt)
	}
	if err == nil && d.files > 0 {
		err = d.commit(table.OpReplace, h.Batch, "")
	}
	if err != nil {
		return false, fmt.Errorf("rewrite manifests of %s: %w", h.Table, err)
	}
	return d.files > 0, nil
}

// merge makes few manifests of the head's small ones, for each kind that has at least so many. Their entries are put in
// order of customers, so that a reader of one customer skips the manifests of others.
func (d *draft) merge(least int) error {
	for _, kind := range []iceberg.ManifestContent{iceberg.ManifestContentData, iceberg.ManifestContentDeletes} {
		var small []iceberg.ManifestFile
		rest := slices.Clone(d.list)
		rest = slices.DeleteFunc(rest, func(m iceberg.ManifestFile) bool {
			fits := m.ManifestContent() == kind && m.Length() < manifestBytes/2 && m.SnapshotID() != d.id
			if fits {
				small = append(small, m)
			}
			return fits
		})
		if len(small) < least {
			continue
		}
		d.list = rest
		if err := d.rewrite(kind, small); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) rewrite(kind iceberg.ManifestContent, small []iceberg.ManifestFile) error {
	type placed struct {
		customer, path string
		entry          iceberg.ManifestEntry
	}
	var all []placed
	bytes := int64(0)
	for _, m := range small {
		for e, err := range m.Entries(d.fs, true) {
			if err != nil {
				return err
			}
			customer, _ := partition(d.head.tbl, e.DataFile())
			all = append(all, placed{customer, e.DataFile().FilePath(), e})
		}
		bytes += m.Length()
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.path, b.path))
	})
	files := int(bytes/manifestBytes) + 1
	for part := range slices.Chunk(all, len(all)/files+1) {
		err := d.write(kind, func(mw *iceberg.ManifestWriter) error {
			for _, p := range part {
				if err := mw.Existing(p.entry); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
