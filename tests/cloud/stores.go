package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// storeChecks: the tests of buckets, of tables and of the whole program hold on every store and catalog.
var storeChecks = []check{
	{name: "catalogs: Glue over S3, one committer", needs: []string{"moto"}, run: overTables("moto", glueCatalog)},
	{name: "program: files over S3 and Glue, one committer", needs: []string{"moto"}, run: overAll("moto", glueCatalog, fewTests)},
	{name: "stores: Azure Blob Storage, azurite", needs: []string{"azurite"}, run: overBucket("azurite")},
	{name: "stores: S3, versitygw", needs: []string{"versitygw"}, run: overBucket("versitygw")},
	{name: "stores: S3, minio", needs: []string{"minio"}, run: overBucket("minio")},
	{name: "stores: Google Cloud Storage, fake-gcs-server", needs: []string{"fake-gcs-server"}, run: overBucket("fake-gcs-server")},
	{name: "catalogs: PostgreSQL over S3", needs: []string{"versitygw", "postgres"}, run: overTables("versitygw", postgresCatalog)},
	{name: "catalogs: Iceberg REST over S3", needs: []string{"minio", "iceberg-rest"}, run: overTables("minio", restCatalog)},
	{name: "catalogs: Iceberg REST with tokens that end", needs: []string{"minio", "iceberg-rest"}, run: restTokens},
	{name: "program: files and results over S3 and PostgreSQL", needs: []string{"versitygw", "postgres"}, run: overAll("versitygw", postgresCatalog, programTests)},
	{name: "program: files and results over S3 and Iceberg REST", needs: []string{"minio", "iceberg-rest"}, run: overAll("minio", restCatalog, programTests)},
	{name: "program: files over Google Cloud Storage and PostgreSQL", needs: []string{"fake-gcs-server", "postgres"}, run: overAll("fake-gcs-server", postgresCatalog, fewTests)},
	{name: "program: files over Azure Blob Storage and PostgreSQL", needs: []string{"azurite", "postgres"}, run: overAll("azurite", postgresCatalog, fewTests)},
}

var whole = flag.Bool("whole", false, "run all tests of tables and of the program over each store and catalog, not those alone that differ there")

// Without -whole these are the tests that say most about a store and a catalog in minutes.
const (
	tablesTests  = "SelfTest|Ensure|Append|Rebuilt|Lost|Restore|Expire|Tagged|Plan|Month|Concurrent|Race"
	programTests = "RealFiles|BadInput$|Isolat|Customers|UnknownCustomer|Gzips|KilledWhileLoading"
	fewTests     = "BadInput$|Gzips" // where the catalog was tried with all of these over another store, or is slow
)

// catalogOf gives the URL of a catalog server, where each test makes a place of its own, and what else the tests need in
// their environment.
type catalogOf func(ctx context.Context, c *cloud) (url string, env []string, err error)

func postgresCatalog(ctx context.Context, c *cloud) (string, []string, error) {
	url, err := c.database(ctx)
	return url, nil, err
}

func restCatalog(_ context.Context, c *cloud) (string, []string, error) {
	return c.url("iceberg-rest"), nil, nil
}

// glueCatalog is the mock cloud's, which ignores the versions that commits are pinned to.
func glueCatalog(_ context.Context, c *cloud) (string, []string, error) {
	return "glue://?region=" + region + "&committers=1", []string{"AWS_ENDPOINT_URL_GLUE=" + c.url("moto")}, nil
}

// overBucket runs the tests of package store over a bucket.
func overBucket(server string) func(context.Context, *cloud) error {
	return func(ctx context.Context, c *cloud) error {
		bucket, err := c.bucket(ctx, server)
		if err != nil {
			return err
		}
		return c.test(ctx, []string{"MEDLAKE_TEST_BUCKET=" + bucket}, "-run", "/remote", "./shared/store")
	}
}

// overTables runs the tests of package warehouse over a bucket and a catalog.
func overTables(server string, catalog catalogOf) func(context.Context, *cloud) error {
	return func(ctx context.Context, c *cloud) error {
		env, err := c.lake(ctx, server, catalog)
		if err != nil {
			return err
		}
		return c.test(ctx, env, "-run", some(tablesTests), "./shared/warehouse", "-rebuilds=6")
	}
}

// overAll runs the tests of the whole program over a bucket and a catalog: the same files, the same figures.
func overAll(server string, catalog catalogOf, tests string) func(context.Context, *cloud) error {
	return func(ctx context.Context, c *cloud) error {
		env, err := c.lake(ctx, server, catalog)
		if err != nil {
			return err
		}
		return c.test(ctx, env, "-run", some(tests), "./tests/e2e", "-kills=5")
	}
}

func some(tests string) string {
	if *whole {
		return "."
	}
	return tests
}

// lake is the environment of tests over a bucket and a catalog.
func (c *cloud) lake(ctx context.Context, server string, catalog catalogOf) ([]string, error) {
	bucket, err := c.bucket(ctx, server)
	if err != nil {
		return nil, err
	}
	url, env, err := catalog(ctx, c)
	return append(env, "MEDLAKE_TEST_BUCKET="+bucket, "MEDLAKE_TEST_CATALOG="+url), err
}

// test runs go test, and fails with what failed.
func (c *cloud) test(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		return fmt.Errorf("go test %s: %w\n\t%s", strings.Join(args, " "), err, strings.Join(lines[:min(40, len(lines))], "\n\t"))
	}
	if strings.Contains(out.String(), "no tests to run") {
		return fmt.Errorf("go test %s ran no test", strings.Join(args, " "))
	}
	return nil
}
