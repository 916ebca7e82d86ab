package main

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// access is the account of every server that has accounts.
const (
	accessKey = "medlake"
	secretKey = "medlake-secret"
)

// The versions that are installed.
const (
	versitygw  = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
	minio      = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
	fakeGCS    = "github.com/fsouza/fake-gcs-server@v1.56.1"
	azurite    = "azurite@3.37.0"
	moto       = "moto@5.2.5"
	motoPython = "moto[server]==5.2.5 boto3==1.44.8"
)

//go:embed moto.py
var motoServer string

// servers are the stores, catalogs and clouds that checks may need. PostgreSQL and promtool are the machine's own.
var servers = map[string]spec{
	"versitygw": {
		install: goInstall(versitygw),
		command: func(ctx context.Context, s *site, dir string, port int) (*exec.Cmd, error) {
			data := filepath.Join(dir, "data")
			if err := os.MkdirAll(data, 0o755); err != nil {
				return nil, err
			}
			return exec.Command(s.bin(versitygw), "--access", accessKey, "--secret", secretKey, "--region", region, "--port", address(port),
				"--quiet", "posix", data), nil
		},
		answers: answersHTTP,
	},
	"minio": {
		install: goInstall(minio),
		command: func(ctx context.Context, s *site, dir string, port int) (*exec.Cmd, error) {
			cmd := exec.Command(s.bin(minio), "server", "--quiet", "--address", address(port), filepath.Join(dir, "data"))
			cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+accessKey, "MINIO_ROOT_PASSWORD="+secretKey, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+dir)
			return cmd, nil
		},
		answers: func(port int) error {
			resp, err := http.Get("http://" + address(port) + "/minio/health/ready")
			if err != nil {
				return err
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("it answers %s", resp.Status)
			}
			return nil
		},
	},
	"fake-gcs-server": {
		install: goInstall(fakeGCS),
		command: func(ctx context.Context, s *site, dir string, port int) (*exec.Cmd, error) {
			return exec.Command(s.bin(fakeGCS), "-scheme", "http", "-host", "127.0.0.1", "-port", strconv.Itoa(port),
				"-public-host", address(port), "-backend", "memory", "-log-level", "error"), nil
		},
		answers: answersHTTP,
	},
	"azurite": {
		install: npmInstall(azurite),
		command: func(ctx context.Context, s *site, dir string, port int) (*exec.Cmd, error) {
			return exec.Command(filepath.Join(s.cache, azurite, "node_modules/.bin/azurite-blob"), "--silent", "--skipApiVersionCheck",
				"--location", dir, "--blobHost", "127.0.0.1", "--blobPort", strconv.Itoa(port)), nil
		},
		answers: answersHTTP,
	},
	"moto": {
		install: pipInstall(moto, motoPython),
		command: func(ctx context.Context, s *site, dir string, port int) (*exec.Cmd, error) {
			return exec.Command(filepath.Join(s.cache, moto, "bin/python"), "-c", motoServer, "-H", "127.0.0.1", "-p", strconv.Itoa(port)), nil
		},
		answers: answersHTTP,
	},
	"iceberg-rest":    {install: folder(icebergREST, buildIceberg), command: runIceberg, answers: answersHTTP},
	"older functions": {install: folder(olderFunctions, buildOlder)},
	"trino":           {install: folder(trinoServer, buildTrino)},
	"postgres":        {install: installPostgres, command: runPostgres, answers: answersTCP},
	"promtool":        {install: aptInstall("promtool", "prometheus")},
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// answersHTTP is content with any answer.
func answersHTTP(port int) error {
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Get("http://" + address(port) + "/")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func answersTCP(port int) error {
	conn, err := net.DialTimeout("tcp", address(port), time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// bin is the file of an installed Go program: its versions live side by side.
func (s *site) bin(module string) string {
	_, version, _ := strings.Cut(module, "@")
	name := filepath.Base(strings.TrimSuffix(module, "@"+version))
	return filepath.Join(s.cache, "bin", name+"@"+version)
}
