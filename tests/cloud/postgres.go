package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// installPostgres takes the machine's server, or installs it: unlike the other tools its package needs its neighbours.
func installPostgres(ctx context.Context, s *site) error {
	if _, err := s.tool("initdb"); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "apt-get", "install", "--yes", "--no-install-recommends", "postgresql")
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1") // RUNLEVEL: it is not started
	if err := s.do(cmd); err != nil {
		return err
	}
	_, err := s.tool("initdb")
	return err
}

// runPostgres is a server whose data are durable: its restarts are part of checks.
func runPostgres(_ context.Context, s *site, dir string, port int) (*exec.Cmd, error) {
	who, err := notRoot(dir)
	if err != nil {
		return nil, err
	}
	initdb, err := s.tool("initdb")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if !exists(data) {
		cmd := exec.Command(initdb, "-D", data, "-U", accessKey, "-A", "trust", "--no-sync")
		cmd.Dir, cmd.SysProcAttr = dir, who
		if err := s.do(cmd); err != nil {
			return nil, err
		}
	}
	server, err := s.tool("postgres")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(server, "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200")
	cmd.Dir, cmd.SysProcAttr = dir, who
	return cmd, nil
}

// notRoot gives dir to the user the server runs as: it refuses to be root.
func notRoot(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	var u *user.User
	err := errors.New("no user")
	for _, name := range []string{"postgres", "nobody"} {
		if u, err = user.Lookup(name); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}

// database is the URL of a new, empty database of the server postgres.
func (c *cloud) database(ctx context.Context) (url string, err error) {
	at := func(name string) string {
		return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", accessKey, address(c.servers["postgres"].port), name)
	}
	var conn *pgx.Conn
	if err := c.servers["postgres"].process.ready(ctx, func() (err error) {
		conn, err = pgx.Connect(ctx, at("postgres"))
		return err
	}); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	name := c.name()
	_, err = conn.Exec(ctx, `CREATE DATABASE "`+name+`"`)
	return at(name), err
}
