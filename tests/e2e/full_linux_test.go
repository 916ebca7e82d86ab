package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	fullStep  = flag.Int64("full-step", 8, "TestDiskFull leaves so many pages more to each load")
	fullTimes = flag.Int("full-times", 8, "how often it fills the disk of a serving lake")
)

// fullBy tells the test's own child by what means its disk is filled.
const fullBy = "MEDLAKE_TEST_FULL_BY"

// disk is what a lake lies on.
type disk interface {
	// leave lets no more than so many bytes be written from now on, by processes that run and those that are started.
	leave(t *testing.T, bytes int64, running ...int)
	free(t *testing.T, running ...int)
}

// full are the means to fill a disk. A file system of one's own needs user namespaces; the other works everywhere.
var full = map[string]struct {
	attr *syscall.SysProcAttr // of the process that does it
	open func(t *testing.T) disk
	page int64  // bytes
	says string // the system
}{
	"file system": {&syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}, mounted, 4096, "no space left on device"},
	"file sizes": {nil, limited, 512, "file too large"},
}

// TestDiskFull has the real program run out of disk at one point after the other, and get space again. It does so in
// processes of its own.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if by, ok := full[os.Getenv(fullBy)]; ok {
		d := by.open(t)
		loadsOnFullDisk(t, d, by.page, by.says)
		servesOnFullDisk(t, d, by.says)
		return
	}
	for by, means := range full {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskFull$", "-test.v",
			fmt.Sprint("-full-step=", *fullStep), fmt.Sprint("-full-times=", *fullTimes))
		cmd.Env = append(os.Environ(), fullBy+"="+by, builtProgram+"="+program, "TMPDIR="+t.TempDir())
		cmd.SysProcAttr = means.attr
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
			t.Logf("%s: the system has no namespaces for us: %v", by, err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", by, err)
		}
		t.Logf("%s:\n%s", by, out)
	}
}

// loadsOnFullDisk has one medlake load after the other find a little more space, until one comes to its end. Each is
// repeated when there is space.
func loadsOnFullDisk(t *testing.T, d disk, page int64, says string) {
	l := newLake(t)
	l.at = nil
	l.send(t, "acme", "synthea/first.zip", supplies(t, 0, 0))
	failed, n := 0, 1
	for left, code := int64(0), 1; code != 0; left, n = left+*fullStep, n+1 {
		file := filepath.Join(t.TempDir(), "upload")
		if err := os.WriteFile(file, supplies(t, 0, n), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"load", "--customer", "acme", "--as", fmt.Sprintf("synthea/supplies-%d.zip", n), file}
		var said []byte
		d.leave(t, left*page)
		_, said, code = l.attempt(t, args...)
		d.free(t)
		if wordless(t, said); code != 0 {
			if failed++; code != 2 || !bytes.Contains(said, []byte(says)) || bytes.Count(said, []byte("\n")) > 5 {
				t.Errorf("%d pages left: exit code %d: %s", left, code, said)
			}
		}
		l.command(t, args...)
	}
	row := l.ask(t, `SELECT count(*) AS n, count(DISTINCT quantity) AS d, (SELECT count(*) FROM visits) AS v FROM supplies`)
	if want := fmt.Sprint(n * uploadRows); string(row["n"]) != want || string(row["d"]) != want || string(row["v"]) != fmt.Sprint(min(n, visits)) {
		t.Errorf("%d loads: %s rows, %s distinct, %s visits", n, row["n"], row["d"], row["v"])
	}
	if failed < 2 {
		t.Errorf("%d of %d loads ran out of space", failed, n)
	}
	t.Logf("%d of %d loads ran out of space", failed, n)
}

// servesOnFullDisk fills the disk of a serving lake again and again, and kills it then now and again.
func servesOnFullDisk(t *testing.T, d disk, says string) {
	l := newLake(t)
	l.at = nil
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := &server{t: t, lake: l}
	s.start()
	var said bytes.Buffer
	sending := s.send(ctx)
	chance := rand.New(rand.NewPCG(3, 4))
	for n := range *fullTimes {
		sent, not := s.acknowledged.Load(), s.refused.Load()
		d.leave(t, chance.Int64N(1<<(6+n%12)), s.cmd.Process.Pid)
		switch n % 4 {
		case 0: // until a sender is told
			s.poll("an upload to be refused", func() bool { return s.refused.Load() > not })
		case 1: // and never ends well
			time.Sleep(time.Duration(chance.IntN(500)) * time.Millisecond)
			s.kill()
			said.Write(s.log.Bytes())
			if err := s.try(); err != nil {
				said.Write(s.log.Bytes())
				d.free(t)
				s.start()
			}
		default:
			time.Sleep(time.Duration(chance.IntN(1000)) * time.Millisecond)
		}
		d.free(t, s.cmd.Process.Pid)
		s.poll("uploads", func() bool { return s.acknowledged.Load() >= sent+4 })
	}
	stop()
	arrivals := sending()
	s.kill() // what its bus gave up comes with the sweep at the start
	said.Write(s.log.Bytes())
	s.start()
	sent, lines := s.exact(arrivals)
	said.Write(s.log.Bytes())
	wordless(t, said.Bytes())
	if !bytes.Contains(said.Bytes(), []byte(says)) {
		t.Errorf("the log does not say what was wrong:\n%s", said.Bytes())
	}
	t.Logf("%d uploads acknowledged (%d arrivals), %d refused, through %d times without space; the log has %d lines", sent, lines, s.refused.Load(), *fullTimes, bytes.Count(said.Bytes(), []byte("\n")))
}

// wordless checks that the program tells neither names nor values.
func wordless(t *testing.T, said []byte) {
	t.Helper()
	for _, word := range []string{"supplies-", "gauze", "wellness", ".zip", "Zip-Password"} {
		if bytes.Contains(said, []byte(word)) {
			t.Errorf("it tells %q: %s", word, said)
		}
	}
}

// mount is a small file system with a file that fills it.
type mount struct{ dir string }

// mounted mounts one over the folder for temporary files, for this process and those that it starts.
func mounted(t *testing.T) disk {
	if err := unix.Mount("tmpfs", os.TempDir(), "tmpfs", 0, "size=256m"); err != nil {
		t.Fatal(err)
	}
	return mount{os.TempDir()}
}

func (m mount) file() string { return filepath.Join(m.dir, "fills the disk") }

func (m mount) leave(t *testing.T, bytes int64, _ ...int) {
	f, err := os.Create(m.file())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	size, zeros := int64(0), make([]byte, 1<<20)
	for err == nil {
		var n int
		n, err = f.Write(zeros)
		size += int64(n)
	}
	if errors.Is(err, unix.ENOSPC) {
		err = f.Truncate(max(0, size-bytes))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (m mount) free(t *testing.T, _ ...int) {
	if err := os.Remove(m.file()); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

// limits are of the sizes of files that this process and those it starts write.
type limits struct{}

func limited(*testing.T) disk { return limits{} }

func (limits) leave(t *testing.T, bytes int64, running ...int) {
	for _, pid := range append(running, os.Getpid()) {
		limit := unix.Rlimit{}
		err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit)
		if limit.Cur = limit.Max; bytes >= 0 {
			limit.Cur = min(limit.Max, uint64(bytes))
		}
		if err = errors.Join(err, unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil)); err != nil {
			t.Fatal(err)
		}
	}
}

func (l limits) free(t *testing.T, running ...int) { l.leave(t, -1, running...) }
