package main

import (
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// The REST catalog of Apache Iceberg's own tests (RESTCatalogServlet over JdbcCatalog) is what other implementations
// are compared with. It is no program: Catalogs.java makes it one.
var (
	//go:embed iceberg/pom.xml
	icebergPOM []byte
	//go:embed iceberg/Catalogs.java
	icebergCatalogs []byte
)

const icebergREST = "iceberg-rest-1.10.1"

func buildIceberg(ctx context.Context, s *site, dir string) error {
	for name, data := range map[string][]byte{"pom.xml": icebergPOM, "Catalogs.java": icebergCatalogs} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib")
	mvn.Dir = dir
	if err := s.do(mvn); err != nil {
		return err
	}
	javac := exec.CommandContext(ctx, "javac", "-cp", "lib/*", "-d", "classes", "Catalogs.java")
	javac.Dir = dir
	return s.do(javac)
}

// runIceberg is a server whose tables lie in the buckets of MinIO, which must run.
func runIceberg(ctx context.Context, s *site, data string, port int) (*exec.Cmd, error) {
	if err := s.need(ctx, "minio"); err != nil {
		return nil, err
	}
	dir := filepath.Join(s.cache, icebergREST)
	return exec.Command("java", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", filepath.Join(dir, "classes")+":"+filepath.Join(dir, "lib/*"),
		"Catalogs", strconv.Itoa(port), data, "jdbc.schema-version", "V1", "warehouse", "s3://unused",
		"io-impl", "org.apache.iceberg.aws.s3.S3FileIO", "s3.endpoint", s.url("minio"), "s3.path-style-access", "true",
		"s3.access-key-id", accessKey, "s3.secret-access-key", secretKey, "client.region", region), nil
}
