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
	"slices"
	"strings"
	"time"

	"medlake/shared/lake"
)

// before is the last commit whose programs do not know entries that erase, and so the oldest whose formats all later ones
// must read and write (see lake.Format) until one of these entries is in the log.
const before = "95df039b6f7f90117ca0ccd20ad48c1216f54367"

const olderFunctions = "functions@" + before

const (
	versionUploads = 160
	versionEvery   = 125 * time.Millisecond
	versionPhase   = 6 * time.Second // three of them are as long as the uploads
	afterErase     = 20              // uploads
	goOnAfter      = 10 * time.Second
	erasedUpload   = 2 // the upload that holds the patient who is erased, and in it his row
	erasedRow      = 10
)

// acrossVersions has the programs of this commit and of an older one work side by side on one lake, then those of this
// commit alone, then the older ones alone, while uploads come in without a pause and the broker loses and doubles events:
// every table is right to the row. Then a patient is erased beside the older programs, which that kind of entry stops: they
// take uploads in all the same, but commit and sweep say why they cannot go on and want to be asked again, and no table
// changes. Once they are replaced everything is exact again. (Nobody tells the older ingest of the upload that was written
// anew, as a store would: it would take it for another one.)
func acrossVersions(ctx context.Context, c *cloud) (err error) {
	l, err := c.manyLake(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	f, err := c.newFamily(ctx, l.env)
	if err != nil {
		return err
	}
	older, newer := filepath.Join(c.cache, olderFunctions, "functions"), f.program
	running, stop := context.WithCancel(ctx)
	b, err := newBroker(running, f)
	if err != nil {
		stop()
		return err
	}
	defer func() { stop(); err = errors.Join(err, b.close()) }()
	all := func(program string) error {
		f.program = program
		return b.start(ctx, 1, 2)
	}
	retire := func(program string) { f.stop(func(m *member) bool { return m.program == program }) }
	if err := errors.Join(all(older), all(newer)); err != nil {
		return err
	}
	b.tick()

	x, sent := newExpected(), make(chan error, 1)
	go func() { sent <- x.stream(ctx, l, b.url+"/ingest", 0, versionUploads) }()
	wait(ctx, versionPhase)
	retire(older) // upgraded
	wait(ctx, versionPhase)
	rolled := all(older) // rolled back
	retire(newer)
	if err := errors.Join(rolled, <-sent, l.settle(ctx, x), x.compare(ctx, l)); err != nil {
		return fmt.Errorf("rolled back: %w", err)
	}

	if err := l.erase(ctx, c, x); err != nil {
		return err
	}
	receipts := len(x.arrivals)
	ingest := "http://" + address(f.next("ingest").port) // no event of these is lost: the sweep's minute was waited for already
	if err := x.stream(ctx, l, ingest, versionUploads, versionUploads+afterErase); err != nil {
		return err
	}
	for _, role := range []string{"commit", "sweep"} {
		if err := refuses(ctx, f.next(role)); err != nil {
			return fmt.Errorf("after an erasure the older %s: %w", role, err)
		}
	}
	rows, err := l.rows(ctx, lake.OpsLoads, "arrival")
	if err != nil {
		return err
	}
	if len(rows) != receipts {
		return fmt.Errorf("after an erasure older programs have made %d receipts of %d", len(rows), receipts)
	}
	upgraded := all(newer)
	retire(older)
	if err := errors.Join(upgraded, l.settle(ctx, x), x.compare(ctx, l)); err != nil {
		return fmt.Errorf("upgraded for good: %w", err)
	}
	c.say("     %d uploads, %d rows; events: %d lost, %d doubled, %d sent again; older: %.7s",
		versionUploads+afterErase, len(x.labs)+x.events, b.lost.Load(), b.doubled.Load(), b.again.Load(), before)
	return nil
}

// stream sends uploads without a pause, whatever processes come and go.
func (x *expected) stream(ctx context.Context, l *lakeOf, url string, from, to int) error {
	for n := from; n < to; n++ {
		a, err := x.send(ctx, l, n, manyRows)
		if err == nil {
			err = tell(ctx, url, a)
		}
		if err != nil {
			return err
		}
		wait(ctx, versionEvery)
	}
	return nil
}

var goOn = regexp.MustCompile(`--resume (\d+)`)

// erase has a patient erased of whom one row of one upload tells, and expects that upload's other rows from the one that is in
// its place now.
func (l *lakeOf) erase(ctx context.Context, c *cloud, x *expected) error {
	customer := customers[erasedUpload%len(customers)]
	args := []string{
		"erase", "--customer", customer, "--patient", fmt.Sprintf("P%d", erasedUpload*31+erasedRow), "--reason", "he asked",
		"--data", filepath.Join(c.dir, c.name()), "--metadata", l.metadata, "--secrets", l.secrets,
	}
	out, err := c.medlake(ctx, l.env, args...)
	if order := goOn.FindStringSubmatch(out); err != nil && order != nil && wait(ctx, goOnAfter) { // older programs wrote files beside it
		out, err = c.medlake(ctx, l.env, append(slices.Clip(args), "--resume", order[1])...)
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if want := "Erased: uploads: 1; of these as a whole: 0; from the others: 1 records"; !strings.HasPrefix(out, want) {
		return fmt.Errorf("medlake erase says %q, want %q", out, want)
	}
	was := newExpected()
	was.content(erasedUpload, manyRows, true)
	x.past = [3]int{len(was.labs), was.filtered, was.rejected}
	delete(x.labs, fmt.Sprintf("%s L%d-%d", customer, erasedUpload, erasedRow))
	receipts, err := l.rows(ctx, lake.OpsLoads, "arrival", "epoch")
	if err != nil {
		return err
	}
	for _, r := range receipts {
		if !x.arrivals[r[0]] && r[1] != "0" {
			x.arrivals[r[0]] = true
			x.statuses[string(lake.Loaded)]++
		}
	}
	return nil
}

// refuses fails unless a process answers a tick with 503 and logs that it has met what another version wrote.
func refuses(ctx context.Context, m *member) error {
	if err := again(ctx, "http://"+address(m.port)); err != nil {
		return err
	}
	log, err := os.ReadFile(m.p.log)
	if err != nil {
		return err
	}
	if !bytes.Contains(log, []byte("written by another version")) {
		return errors.New("does not say that another version wrote what it cannot read")
	}
	return nil
}

// buildOlder builds command functions of an older commit of the repository that this program is of.
func buildOlder(ctx context.Context, s *site, dir string) error {
	root, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("the check needs the repository with its history: %w", err)
	}
	source, packed := filepath.Join(dir, "source"), filepath.Join(dir, "source.tar")
	if err := os.Mkdir(source, 0o755); err != nil {
		return err
	}
	archive := exec.CommandContext(ctx, "git", "archive", "--output", packed, before)
	archive.Dir = strings.TrimSpace(string(root))
	if err := s.do(archive); err != nil {
		return fmt.Errorf("the check needs the repository with its history, which a shallow clone lacks: %w", err)
	}
	if err := s.do(exec.CommandContext(ctx, "tar", "-x", "-f", packed, "-C", source)); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "functions"), "./functions")
	build.Dir = source
	return errors.Join(s.do(build), os.Remove(packed), os.RemoveAll(source))
}
