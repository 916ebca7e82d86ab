// Command cluster applies the manifests of infra to a real API server: etcd and kube-apiserver, built once and kept in the
// user's cache, started on loopback and stopped at the end. It prints a line for each check and exits with 1 if one fails.
//
//	go -C tests/kube run ./cluster
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// absent is what a check cannot do without and this machine does not have.
type absent string

func (a absent) Error() string { return string(a) }

func run(ctx context.Context) (err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "medlake-kube")
	for _, p := range []program{etcd, apiserver} {
		start := time.Now()
		made, err := p.build(ctx, cache)
		if err != nil {
			return err
		}
		if made {
			fmt.Printf("built %s %s in %.0fs\n", p.name, p.version, time.Since(start).Seconds())
		}
	}
	dir, err := os.MkdirTemp("", "medlake-kube-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	start := time.Now()
	c, err := up(ctx, cache, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.down()) }()
	fmt.Printf("ok   ready  %.1fs\n", time.Since(start).Seconds())
	failed := false
	for _, check := range checks {
		start := time.Now()
		if err := check.run(ctx, c); err != nil {
			if gap, ok := err.(absent); ok {
				fmt.Printf("none %s: %s\n", check.name, gap)
				continue
			}
			failed = true
			fmt.Printf("FAIL %s: %v\n", check.name, err)
			continue
		}
		fmt.Printf("ok   %s  %.1fs\n", check.name, time.Since(start).Seconds())
	}
	if failed {
		return errors.New("a check failed")
	}
	return nil
}
