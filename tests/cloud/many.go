package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"medlake/shared/lake"
)

// manyChecks: many processes of every role, and of two versions, over an object store and PostgreSQL.
var manyChecks = []check{
	{name: "many: exact through kills, lost and doubled events", needs: []string{"minio", "postgres"}, alone: "postgres", run: throughKills},
	{name: "many: throughput grows with processes", needs: []string{"minio", "postgres"}, alone: machine, run: throughput},
	{name: "many: the catalog is down", needs: []string{"minio", "postgres"}, alone: "postgres", run: withoutCatalog},
	{name: "many: old and new version side by side, upgrade, rollback", needs: []string{"minio", "postgres", "older functions"}, run: acrossVersions},
}

const (
	manyUploads = 600
	manyRows    = 100
	manyEvery   = 60 * time.Millisecond // between two uploads
	killEvery   = 2 * time.Second
	settleTime  = 4 * time.Minute // after the last upload: the sweep leaves uploads alone for their first minute
)

// throughKills runs 8 ingest, 3 commit and every periodic role as processes of their own, kills one every two seconds, and
// loses, doubles and reorders events; the catalog crashes too. Then every table is right to the row.
func throughKills(ctx context.Context, c *cloud) (err error) {
	l, err := c.manyLake(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	f, err := c.newFamily(ctx, l.env)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	b, err := newBroker(running, f)
	if err != nil {
		stop()
		return err
	}
	defer func() { stop(); err = errors.Join(err, b.close()) }()
	if err := b.start(ctx, 3, 8); err != nil {
		return err
	}
	b.tick()

	killing, endKills := context.WithCancel(ctx)
	defer endKills()
	ended := make(chan error, 1)
	var killed map[string]int
	go func() {
		var err error
		killed, err = f.killOn(killing, killEvery)
		ended <- err
	}()
	x := newExpected()
	for n := range manyUploads {
		if n == manyUploads/2 {
			if err := errors.Join(c.crash("postgres"), c.restart(ctx, "postgres")); err != nil {
				return err
			}
		}
		a, err := x.send(ctx, l, n, manyRows)
		if err == nil {
			err = tell(ctx, b.url+"/ingest", a)
		}
		if err != nil {
			return err
		}
		wait(ctx, manyEvery)
	}
	settled := l.settle(ctx, x)
	endKills()
	if err := errors.Join(settled, <-ended); err != nil {
		return err
	}
	if err := x.compare(ctx, l); err != nil {
		return err
	}
	total := 0
	for _, n := range killed {
		total += n
	}
	c.say("     %d uploads of %d customers, %d rows; %d kills %v, and one of the catalog; events: %d lost, %d doubled, %d sent again, %d given up",
		manyUploads, len(customers), len(x.labs)+x.events, total, killed, b.lost.Load(), b.doubled.Load(), b.again.Load(), b.dead.Load())
	return nil
}

// manyLake is an empty lake over S3 and PostgreSQL.
func (c *cloud) manyLake(ctx context.Context) (*lakeOf, error) {
	bucket, err := c.bucket(ctx, "minio")
	if err != nil {
		return nil, err
	}
	catalog, err := c.database(ctx)
	if err != nil {
		return nil, err
	}
	return c.newLake(ctx, bucket, catalog)
}

// settle waits until every upload has its receipt, nothing is pending and the beds are right, while processes are killed. The
// number of table beds does not tell: a merge of events that change nothing leaves it as it was.
func (l *lakeOf) settle(ctx context.Context, x *expected) error {
	limited, stop := context.WithTimeout(ctx, settleTime)
	defer stop()
	for wait(limited, time.Second) {
		receipts, err := l.rows(limited, lake.OpsLoads, "arrival")
		if err != nil || len(receipts) < len(x.arrivals) {
			continue
		}
		if n, err := l.pending(limited); err != nil || n > 0 {
			continue
		}
		if x.compareBeds(limited, l) == nil {
			return nil
		}
	}
	receipts, err := l.rows(ctx, lake.OpsLoads, "arrival")
	return errors.Join(fmt.Errorf("%d of %d uploads have a receipt after %s", len(receipts), len(x.arrivals), settleTime), err, x.compareBeds(ctx, l))
}

// compare says what is wrong in the tables.
func (x *expected) compare(ctx context.Context, l *lakeOf) error {
	receipts, err := l.rows(ctx, lake.OpsLoads, "arrival", "status", "read", "committed", "filtered", "rejected")
	if err != nil {
		return err
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	seen, statuses, sums := map[string]bool{}, map[string]int{}, [4]int{}
	for _, r := range receipts {
		if seen[r[0]] || !x.arrivals[r[0]] {
			fault("arrival %s has two receipts, or was never sent", r[0])
		}
		seen[r[0]] = true
		statuses[r[1]]++
		var n [4]int
		for i := range n {
			if n[i], err = strconv.Atoi(r[2+i]); err != nil {
				return err
			}
			sums[i] += n[i]
		}
		if n[0] != n[1]+n[2]+n[3] {
			fault("arrival %s: read %d is not committed %d + filtered %d + rejected %d", r[0], n[0], n[1], n[2], n[3])
		}
	}
	if len(receipts) != len(x.arrivals) || !maps.Equal(statuses, x.statuses) {
		fault("%d receipts %v, want %d %v", len(receipts), statuses, len(x.arrivals), x.statuses)
	}
	committed, filtered, rejected := len(x.labs)+x.events+x.past[0], x.filtered+x.past[1], x.rejected+x.past[2]
	if want := [4]int{committed + filtered + rejected, committed, filtered, rejected}; sums != want {
		fault("read, committed, filtered, rejected are %v, want %v", sums, want)
	}
	labs, err := l.rows(ctx, "lake.labs", "customer", "lab_id")
	if err != nil {
		return err
	}
	if err := equal("labs", labs, slices.Collect(maps.Keys(x.labs))); err != nil {
		faults = append(faults, err)
	}
	if err := x.compareBeds(ctx, l); err != nil {
		faults = append(faults, err)
	}
	for table, want := range map[string]int{"lake.beds_log": x.events, lake.OpsRejects: x.rejected} {
		rows, err := l.rows(ctx, table, "customer")
		if err != nil {
			return err
		}
		if len(rows) != want {
			fault("%s has %d rows, want %d", table, len(rows), want)
		}
	}
	return errors.Join(faults...)
}

// compareBeds says what is wrong in the table that changes.
func (x *expected) compareBeds(ctx context.Context, l *lakeOf) error {
	beds, err := l.rows(ctx, "lake.beds", "customer", "bed", "state")
	if err != nil {
		return err
	}
	var want []string
	for bed, state := range x.beds {
		want = append(want, bed+" "+state)
	}
	return equal("beds", beds, want)
}

// equal compares rows, whatever their order.
func equal(table string, rows [][]string, want []string) error {
	got := make([]string, len(rows))
	for i, r := range rows {
		got[i] = strings.Join(r, " ")
	}
	slices.Sort(got)
	slices.Sort(want)
	if slices.Equal(got, want) {
		return nil
	}
	missing := 0
	for _, w := range want {
		if _, ok := slices.BinarySearch(got, w); !ok {
			missing++
		}
	}
	return fmt.Errorf("%s has %d rows, %d distinct, want %d, of which %d are missing", table, len(got), len(slices.Compact(got)), len(want), missing)
}
