package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	trinoVersion = "476" // as in infra/trino/trino.yaml
	trinoServer  = "trino-" + trinoVersion
)

// buildTrino unpacks the server with the one connector we need, and Trino's own client.
func buildTrino(ctx context.Context, s *site, dir string) error {
	if _, err := javaHome(); err != nil {
		return err
	}
	for _, artifact := range []string{"trino-server-core:" + trinoVersion + ":tar.gz", "trino-iceberg:" + trinoVersion + ":zip", "trino-cli:" + trinoVersion + ":jar:executable"} {
		if err := s.do(exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy", "-Dartifact=io.trino:"+artifact, "-DoutputDirectory="+dir)); err != nil {
			return err
		}
	}
	server, connector := filepath.Join(dir, "trino-server-core-"+trinoVersion+".tar.gz"), filepath.Join(dir, "trino-iceberg-"+trinoVersion+".zip")
	if err := s.do(exec.CommandContext(ctx, "tar", "-x", "-z", "-f", server, "-C", dir, "--strip-components=1")); err != nil {
		return err
	}
	if err := s.do(exec.CommandContext(ctx, "python3", "-m", "zipfile", "-e", connector, filepath.Join(dir, "plugin"))); err != nil {
		return err
	}
	return errors.Join(os.Remove(server), os.Remove(connector))
}

var javaRelease = regexp.MustCompile(`(?m)^JAVA_VERSION="(\d+)`)

// javaHome is a Java that Trino runs on.
func javaHome() (string, error) {
	homes, err := filepath.Glob("/usr/lib/jvm/*")
	if err != nil {
		return "", err
	}
	for _, home := range append([]string{os.Getenv("JAVA_HOME")}, homes...) {
		data, err := os.ReadFile(filepath.Join(home, "release"))
		if err != nil {
			continue
		}
		if m := javaRelease.FindSubmatch(data); m != nil {
			if n, err := strconv.Atoi(string(m[1])); err == nil && n >= 24 {
				return home, nil
			}
		}
	}
	return "", errors.New("there is no Java for Trino, which needs 24 or newer: at JAVA_HOME or in /usr/lib/jvm")
}

// trino is a server that runs.
type trino struct {
	*cloud
	url, java, dir string
}

// startTrino starts a server that reads the tables of a lake in MinIO and PostgreSQL.
func (c *cloud) startTrino(ctx context.Context, dir, bucket, catalog string) (*trino, error) {
	java, err := javaHome()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	t := &trino{cloud: c, url: "http://" + address(port), java: java, dir: dir}
	etc := filepath.Join(dir, "trino")
	if err := errors.Join(
		trinoFile(etc, "config.properties", "discovery.uri", t.url, "http-server.http.port", strconv.Itoa(port)),
		trinoFile(etc, "node.properties", "node.data-dir", filepath.Join(dir, "trino-data")+"\nnode.bind-ip=127.0.0.1\nnode.internal-address=127.0.0.1"),
		trinoFile(etc, "jvm.config", "-XX:InitialRAMPercentage", "1", "-XX:MaxRAMPercentage", "75\n-Xmx3g"), // 75 % of what a pod has
		trinoFile(etc, "log.properties"),
		trinoFile(etc, "catalog/lake.properties", "s3.endpoint", c.url("minio"), "iceberg.jdbc-catalog.default-warehouse-dir", "s3://"+bucketOf(bucket),
			"iceberg.jdbc-catalog.connection-url", "jdbc:postgresql://"+strings.TrimPrefix(catalog, "postgres://"+accessKey+"@")),
	); err != nil {
		return nil, err
	}
	env := []string{"JAVA_HOME=" + java, "PATH=" + filepath.Join(java, "bin") + ":" + os.Getenv("PATH"), "CATALOG_PASSWORD=nobody asks"}
	if _, err := c.start("trino", env, filepath.Join(c.cache, trinoServer, "bin/launcher"), "run", "--etc-dir", etc); err != nil {
		return nil, err
	}
	limited, stop := context.WithTimeout(ctx, 3*time.Minute)
	defer stop()
	for {
		_, err := t.ask(limited, "SELECT 1")
		if err == nil {
			return t, nil
		}
		if !wait(limited, time.Second) {
			return nil, fmt.Errorf("start trino: %w", err)
		}
	}
}

// trinoFile writes a file as it is in infra/trino/config, but for values that are others here: keys and values by turns.
func trinoFile(etc, name string, others ...string) error {
	data, err := os.ReadFile(filepath.Join("infra/trino/config", filepath.Base(name)))
	if err != nil {
		return err
	}
	for ; len(others) > 0; others = others[2:] {
		line := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(others[0]) + "=.*$")
		if !line.Match(data) {
			return fmt.Errorf("infra/trino/config: %s has no %s", name, others[0])
		}
		data = line.ReplaceAllLiteral(data, []byte(others[0]+"="+others[1]))
	}
	file := filepath.Join(etc, name)
	return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o600))
}

// ask returns the lines of answers to statements.
func (t *trino) ask(ctx context.Context, statements ...string) ([]string, error) {
	file := filepath.Join(t.dir, "ask.sql")
	if err := os.WriteFile(file, []byte(strings.Join(statements, ";\n")+";\n"), 0o600); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(t.java, "bin/java"), "-jar", filepath.Join(t.cache, trinoServer, "trino-cli-"+trinoVersion+"-executable.jar"),
		"--server", t.url, "--catalog", "lake", "--user", "check", "--output-format", "CSV_UNQUOTED", "--file", file)
	cmd.Stdout = &out
	err := t.do(cmd)
	return strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\n' }), err
}
