package main

import (
	"context"
	"fmt"

	"medlake/shared/store"
)

// storeChecks: each kind of bucket keeps the promises that the lake relies on.
var storeChecks = []check{
	{"stores: versitygw keeps its promises", []string{"versitygw"}, promises("versitygw")},
	{"stores: minio keeps its promises", []string{"minio"}, promises("minio")},
	{"stores: gcs emulator keeps its promises", []string{"fake-gcs-server"}, promises("fake-gcs-server")},
	{"stores: azure emulator keeps its promises", []string{"azurite"}, promises("azurite")},
}

func promises(server string) func(context.Context, *cloud) error {
	return func(ctx context.Context, c *cloud) error {
		url, err := c.bucket(ctx, server)
		if err != nil {
			return err
		}
		b, err := store.Open(ctx, url)
		if err != nil {
			return err
		}
		if err := b.SelfTest(ctx); err != nil {
			return fmt.Errorf("self test: %w", err)
		}
		return b.Close()
	}
}
