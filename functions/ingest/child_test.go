package ingest_test

import (
	"context"
	"os"

	"medlake/functions/ingest"
	"medlake/shared/metadata"
	"medlake/shared/store"
	"medlake/shared/transform"
)

// child is what a program does that was started to process one arrival alone.
func child(dir string) int {
	ctx := context.Background()
	b, err := store.Open(ctx, store.FileURL(dir))
	if err != nil {
		return ingest.ChildFailed
	}
	set, faults := metadata.Load(os.DirFS("testdata/metadata"))
	if len(faults) > 0 {
		return ingest.ChildFailed
	}
	l, faults := transform.Compile(set)
	if len(faults) > 0 {
		return ingest.ChildFailed
	}
	f, err := ingest.New(ingest.Config{Bucket: b, Engine: ingest.Metadata(l)})
	if err != nil {
		return ingest.ChildFailed
	}
	return ingest.RunChild(ctx, f, os.Stdin)
}
