package warehouse

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"medlake/shared/store"
)

// postgres starts a server in a temporary folder and returns its URL. The test is skipped where there is none.
func postgres(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"initdb", "pg_ctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no PostgreSQL server on this machine: %v", err)
		}
	}
	dir, err := os.MkdirTemp("", "pg") // short: a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	run := func(name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		if os.Geteuid() == 0 { // the server refuses to run as root
			u, err := user.Lookup("postgres")
			if err != nil {
				t.Skipf("PostgreSQL does not run as root: %v", err)
			}
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			if err := os.Chown(dir, uid, gid); err != nil {
				t.Fatal(err)
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	data := filepath.Join(dir, "data")
	run("initdb", "-D", data, "-U", "medlake", "-A", "trust", "--no-sync")
	run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", "-F -h '' -k "+dir, "start")
	t.Cleanup(func() { run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop") })
	return "postgres:///postgres?user=medlake&sslmode=disable&host=" + dir
}

func TestPostgresCatalog(t *testing.T) {
	t.Parallel()
	url := postgres(t)
	b, err := store.Open(t.Context(), store.FileURL(filepath.Join(t.TempDir(), "lake")))
	if err != nil {
		t.Fatal(err)
	}
	open := func() *Warehouse {
		w, err := Open(t.Context(), url, b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		return w
	}
	w := open()
	s := ensure(t, w, visits(t), 0)
	log := fakeLog(b, s, 60)
	var wg sync.WaitGroup
	for range 2 {
		w := open()
		wg.Go(func() {
			ensure(t, w, visits(t), 0)
			if err := apply(t.Context(), w, s.Table, log, 5, 1000); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantAll(t, w, s, log)
}
