package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"medlake/shared/lake"
	"medlake/shared/store"
)

const guardedRows = 20

// functions has the functions work: uploads become rows in several commits, so that there is something to compact.
func (g *guarded) functions(ctx context.Context) error {
	// An upload waits until commit has told how the files of its tables are written.
	if err := errors.Join(g.once(ctx, "commit", "./functions", "commit", "once"), g.startIngest(ctx)); err != nil {
		return err
	}
	first, err := g.send(ctx, 1)
	if err == nil {
		err = g.door(ctx, first)
	}
	if err != nil {
		return err
	}
	for range 3 {
		if _, err := g.send(ctx, 24); err != nil {
			return err
		}
		if err := g.settled(ctx); err != nil {
			return err
		}
	}
	if err := g.once(ctx, "maintain", "./functions", "maintain", "once", "all"); err != nil {
		return err
	}
	wait(ctx, time.Until(first.At.Add(70*time.Second))) // the sweep leaves uploads alone for their first minute
	if err := errors.Join(g.once(ctx, "sweep", "./functions", "sweep", "once"), g.settled(ctx), g.look(ctx)); err != nil {
		return err
	}
	return g.x.compare(ctx, g.lakeOf)
}

// settled brings what ingest has done into the tables.
func (g *guarded) settled(ctx context.Context) error {
	return errors.Join(g.once(ctx, "commit", "./functions", "commit", "once"), g.once(ctx, "merge", "./functions", "merge", "once"))
}

func (g *guarded) startIngest(ctx context.Context) error {
	file, err := g.c.program(ctx, "./functions")
	if err != nil {
		return err
	}
	if g.ingest, err = freePort(); err != nil {
		return err
	}
	if err := g.bucket.Delete(ctx, "proved"); err != nil {
		return err
	}
	p, err := g.c.start("ingest-"+g.c.name(), g.as("ingest", fmt.Sprintf("PORT=%d", g.ingest)), file, "ingest")
	if err != nil {
		return err
	}
	return p.ready(ctx, func() error { return answersHTTP(g.ingest) })
}

// send puts so many more uploads there and tells ingest of them. It returns the first.
func (g *guarded) send(ctx context.Context, uploads int) (first lake.Arrival, err error) {
	for i := range uploads {
		a, err := g.x.send(ctx, g.lakeOf, g.n, guardedRows)
		if err == nil {
			err = tell(ctx, "http://"+address(g.ingest), a)
		}
		if err != nil {
			return first, err
		}
		if i == 0 {
			first = a
		}
		g.n++
	}
	return first, nil
}

// door puts an upload of before there once more, as the gateway, and tells nobody: the sweep must find it.
func (g *guarded) door(ctx context.Context, a lake.Arrival) error {
	data, err := g.bucket.Get(ctx, a.Key)
	if err != nil {
		return err
	}
	key := store.LandingKey(a.Customer(), time.Now(), "beds/again.zip", "again")
	if _, err := g.client("gateway").PutObject(ctx, &s3.PutObjectInput{
		Bucket: &g.name, Key: &key, Body: bytes.NewReader(data), IfNoneMatch: aws.String("*"),
	}, func(o *s3.Options) { o.BaseEndpoint = &g.watch.URL }); err != nil {
		return fmt.Errorf("put as gateway: %w", err)
	}
	o, err := g.bucket.Head(ctx, key)
	if err != nil {
		return err
	}
	g.x.arrivals[g.bucket.Arrival(o).ID()] = true
	g.x.statuses[string(lake.Duplicate)]++
	return nil
}

// commands has people work on the lake: each command with the rights of its role.
func (g *guarded) commands(ctx context.Context) error {
	then := time.Now().UTC().Format(time.RFC3339)
	_, err := g.send(ctx, 4)
	if err := errors.Join(err, g.settled(ctx)); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"replay", "--customer", "cedar", "--reason", "rights"},
		{"restore", "--to", then, "--later", "keep", "--reason", "rights"},
	} {
		if err := errors.Join(g.medlake(ctx, "operator", args[0], args[1:]...), g.same(ctx)); err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
	}
	if err := g.medlake(ctx, "backup", "backup", "--grace", "0s", g.backup); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"erase", "--customer", "acme", "--patient", "P124", "--reason", "rights"},
		{"erase", "--customer", "birch", "--all", "--reason", "rights"},
	} {
		if err := g.medlake(ctx, "operator", args[0], args[1:]...); err != nil {
			return err
		}
	}
	delete(g.x.labs, "acme L4-0")
	for key := range g.x.labs {
		if strings.HasPrefix(key, "birch ") {
			delete(g.x.labs, key)
		}
	}
	for key := range g.x.beds {
		if strings.HasPrefix(key, "birch ") {
			delete(g.x.beds, key)
		}
	}
	return errors.Join(g.same(ctx), g.medlake(ctx, "backup", "backup", "--grace", "0s", g.backup))
}

// medlake runs a command of command medlake.
func (g *guarded) medlake(ctx context.Context, role, name string, args ...string) error {
	var at []string
	dir := filepath.Join(g.c.dir, "data-"+role)
	for _, e := range g.env {
		if url, ok := strings.CutPrefix(e, "MEDLAKE_SECRETS="); ok && (name == "replay" || name == "erase") {
			at = append(at, "--secrets", url)
		}
		if folder, ok := strings.CutPrefix(e, "MEDLAKE_METADATA="); ok && name != "rebuild" {
			at = append(at, "--metadata", folder)
		}
	}
	return g.once(ctx, role, "./local", append(append([]string{name, "--data", dir}, at...), args...)...)
}

// same compares the tables with what must stand in them.
func (g *guarded) same(ctx context.Context) error {
	if err := g.look(ctx); err != nil {
		return err
	}
	labs, err := g.rows(ctx, "lake.labs", "customer", "lab_id")
	if err != nil {
		return err
	}
	want := make([]string, 0, len(g.x.labs))
	for key := range g.x.labs {
		want = append(want, key)
	}
	return errors.Join(equal("labs", labs, want), g.x.compareBeds(ctx, g.lakeOf))
}

// recovery loses the catalog, then the bucket too.
func (g *guarded) recovery(ctx context.Context) error {
	if err := g.catalog(ctx); err != nil {
		return err
	}
	if err := errors.Join(g.medlake(ctx, "operator", "rebuild"), g.same(ctx)); err != nil {
		return err
	}
	for o, err := range g.bucket.List(ctx, "") {
		if err == nil {
			err = g.bucket.Delete(ctx, o.Key)
		}
		if err != nil {
			return err
		}
	}
	if err := g.catalog(ctx); err != nil {
		return err
	}
	return errors.Join(g.medlake(ctx, "operator", "rebuild", "--from", g.backup), g.same(ctx))
}

// planted tries what nobody may do.
func (g *guarded) planted(ctx context.Context) error {
	var upload, version string
	for o, err := range g.bucket.List(ctx, store.LandingPrefix) {
		if err != nil {
			return err
		}
		upload = o.Key
	}
	head, err := g.client("operator").HeadObject(ctx, &s3.HeadObjectInput{Bucket: &g.name, Key: &upload})
	if err != nil {
		return fmt.Errorf("the operator cannot ask for an upload: %w", err)
	}
	version = *head.VersionId
	get := func(role string) error {
		_, err := g.client(role).GetObject(ctx, &s3.GetObjectInput{Bucket: &g.name, Key: &upload})
		return err
	}
	remove := func(role string, version *string) error {
		_, err := g.client(role).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &g.name, Key: &upload, VersionId: version})
		return err
	}
	put := func(role, bucket, key string) error {
		_, err := g.client(role).PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")})
		return err
	}
	list := func(role string) error {
		_, err := g.client(role).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &g.name})
		return err
	}
	tries := map[string]error{
		"gateway reads an upload": get("gateway"), "gateway lists": list("gateway"), "gateway writes the log": put("gateway", g.name, "log/000000000001"),
		"commit reads an upload": get("commit"), "merge reads an upload": get("merge"), "maintain reads an upload": get("maintain"),
		"ingest adds an upload": put("ingest", g.name, upload), "ingest writes the log": put("ingest", g.name, "log/000000000001"),
		"backup writes the log": put("backup", g.name, "log/000000000001"), "operator writes the copy": put("operator", bucketOf(g.backup), "log/000000000001"),
	}
	for role := range g.statements {
		tries[role+" removes a version"] = remove(role, &version)
		if role != "operator" {
			tries[role+" removes an upload"] = remove(role, nil)
		}
	}
	var faults []error
	for what, err := range tries {
		var answer *awshttp.ResponseError
		if !errors.As(err, &answer) || answer.HTTPStatusCode() != http.StatusForbidden {
			faults = append(faults, fmt.Errorf("%s: %v", what, err))
		}
	}
	return errors.Join(faults...)
}
