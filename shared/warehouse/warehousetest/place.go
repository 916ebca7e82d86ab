// Package warehousetest gives each test a bucket and a catalog of its own: in a folder, or where the environment says, so
// that the same tests run over other stores and catalogs.
package warehousetest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"medlake/shared/store"
)

// Bucket is the URL of a bucket that belongs to dir: folder bucket in it, or a prefix of the bucket MEDLAKE_TEST_BUCKET.
func Bucket(t testing.TB, dir string) string {
	t.Helper()
	at := os.Getenv("MEDLAKE_TEST_BUCKET")
	if at == "" {
		return store.FileURL(filepath.Join(dir, "bucket"))
	}
	u := parse(t, "MEDLAKE_TEST_BUCKET", at)
	u.Path += "/" + nameOf(dir)
	return u.String()
}

// Catalog is the URL of a catalog that belongs to dir: file catalog.db in it, or a part of the catalog
// MEDLAKE_TEST_CATALOG: a database of a PostgreSQL server, a path of a REST server, databases of a Glue account.
func Catalog(t testing.TB, dir string) string {
	t.Helper()
	at := os.Getenv("MEDLAKE_TEST_CATALOG")
	if at == "" {
		return "sqlite://" + filepath.Join(dir, "catalog.db")
	}
	u, name := parse(t, "MEDLAKE_TEST_CATALOG", at), nameOf(dir)
	switch u.Scheme {
	case "postgres", "postgresql":
		database(t, at, name)
		u.Path = "/" + name
	case "glue":
		q := u.Query()
		q.Set("prefix", name+"_")
		u.RawQuery = q.Encode()
	default:
		u.Path += "/" + name
	}
	return u.String()
}

// Remote reports whether bucket and catalog are not in the folder.
func Remote() bool { return os.Getenv("MEDLAKE_TEST_BUCKET")+os.Getenv("MEDLAKE_TEST_CATALOG") != "" }

func parse(t testing.TB, name, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatalf("%s is no URL", name)
	}
	return u
}

func nameOf(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return "t" + hex.EncodeToString(sum[:10])
}

// database makes a database unless it is there.
func database(t testing.TB, server, name string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	if taken, ok := err.(*pgconn.PgError); err != nil && (!ok || taken.Code != "42P04") {
		t.Fatal(err)
	}
}
