package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"medlake/shared/archive/lock"
)

var update = flag.Bool("update", false, "write what the program prints into the scripts")

// TestMain makes this test binary medlake where a script, or medlake itself, starts it under that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"medlake": main})
}

// TestScripts runs the scripts of testdata. Each has a folder of its own and the small metadata of testdata in $META.
func TestScripts(t *testing.T) {
	t.Parallel()
	meta, err := filepath.Abs("testdata/metadata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("META", meta)
			free, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Setenv("FREE", free.Addr().String())
			return free.Close()
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"pack": pack, "until": until, "shows": shows, "exits": exits, "moment": moments,
		},
	})
}

// pack locks files: pack zipcrypto|aes|none PASSWORD ZIP FILE…
func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: pack zipcrypto|aes|none PASSWORD ZIP FILE…")
	}
	cipher, ok := map[string]lock.Cipher{"zipcrypto": lock.ZipCrypto, "aes": lock.AES256, "none": lock.None}[args[0]]
	if !ok {
		ts.Fatalf("no cipher %s", args[0])
	}
	var files []lock.File
	for _, f := range args[3:] {
		data, err := os.ReadFile(ts.MkAbs(f))
		ts.Check(err)
		files = append(files, lock.File{Name: path.Base(f), Data: data})
	}
	zip, err := lock.Zip(files, lock.Options{Cipher: cipher, Password: args[1], Random: rand.Reader})
	ts.Check(err)
	file := ts.MkAbs(args[2])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	ts.Check(os.WriteFile(file, zip, 0o600))
}

// until runs a program again and again until its output matches: until REGEXP PROGRAM ARG…
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM ARG…")
	}
	matches(ts, args[0], func() (string, error) {
		err := ts.Exec(args[1], args[2:]...)
		return ts.ReadFile("stdout"), err
	})
}

// shows asks for a page again and again until it matches: shows REGEXP URL
func shows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shows REGEXP URL")
	}
	matches(ts, args[0], func() (string, error) {
		r, err := http.Get(args[1])
		if err != nil {
			return "", err
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		return string(body), err
	})
}

func matches(ts *testscript.TestScript, pattern string, output func() (string, error)) {
	want := regexp.MustCompile("(?m)" + pattern)
	end := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if out, err := output(); err == nil && want.MatchString(out) {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			ts.Fatalf("nothing ever matched %s", pattern)
		}
	}
}

// exits runs a program that must end with a code: exits CODE PROGRAM ARG…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	var exit interface{ ExitCode() int }
	switch {
	case errors.As(err, &exit):
		code = string(rune('0' + exit.ExitCode()))
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// moments sets a variable to the time it is, with nothing else happening in the same millisecond: moment NAME
func moments(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: moment NAME")
	}
	time.Sleep(2 * time.Millisecond) // snapshots are told apart by milliseconds
	ts.Setenv(args[0], time.Now().UTC().Format(time.RFC3339Nano))
	time.Sleep(2 * time.Millisecond)
}
