package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"medlake/shared/warehouse"
)

// rightsChecks: what Terraform allows each role is what the role needs.
var rightsChecks = []check{
	{name: "rights: each role does its work with its own rights", needs: []string{"minio", "postgres"}, run: rights},
}

// guarded is a lake each of whose roles has its own credentials, restricted to what module aws gives the role on S3.
type guarded struct {
	*lakeOf
	c            *cloud
	watch        *watch
	statements   map[string][]statement
	credentials  map[string]aws.Credentials
	name, backup string // buckets
	x            *expected
	n            int // uploads
	ingest       int // port
}

// rights has every role work as a process with nothing but its own rights, over one lake, and lets nobody do more.
func rights(ctx context.Context, c *cloud) (err error) {
	g, err := c.newGuarded(ctx)
	if err != nil {
		return err
	}
	defer func() { g.watch.Close(); err = errors.Join(err, g.close()) }()
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"functions", g.functions}, {"commands", g.commands}, {"recovery", g.recovery}, {"planted", g.planted},
	} {
		if err := errors.Join(step.do(ctx), refusals(g.watch.denied())); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	var wide []string
	for _, idle := range g.watch.idle(g.statements) {
		if !seldom[idle] {
			wide = append(wide, idle)
		}
	}
	if len(wide) > 0 {
		return fmt.Errorf("rights that no role has used, and that are not known to be used seldom: %s", strings.Join(wide, ", "))
	}
	c.say("     %d requests that differ in role, action or object; none refused", len(g.watch.used))
	return nil
}

// seldom are rights that a lake needs which is older, larger or less lucky than the one of this check.
var seldom = map[string]bool{
	// Entries of the log lie together once there are thousands; records then say less.
	"ingest Read folded/*": true, "commit Read folded/*": true, "merge Read folded/*": true, "sweep Read folded/*": true,
	"maintain Read folded/*": true, "maintain Write folded/*": true, "maintain Write log/*": true, "maintain Read loads/*": true, "maintain Write loads/*": true,
	// A table that hundreds of entries in a row say nothing about; a sweeper that has seen thousands.
	"commit Write gaps": true, "operator Write gaps": true,
	"sweep Write swept/*": true, "sweep Delete swept/*": true, "operator Write swept/*": true,
	// Two who do the same at once, or a reply that was lost: what stands there is read back. A rewritten upload reads the log.
	"ingest Read arrivals/*": true, "ingest Read pending/*": true, "ingest Read tables/*/data/*": true, "ingest Read log/*": true,
	// A commit that failed takes its metadata back; files are removed a day after nothing names them.
	"merge Delete tables/*/metadata/*": true, "maintain Delete tables/*": true,
	// Here commit was the first to make the tables and to prove the catalog.
	"merge Write schemas/*": true, "maintain Write schemas/*": true, "merge Delete tables/ops/selftest_*/*": true,
}

func refusals(all []string) error {
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("refused: %s", strings.Join(all, "; "))
}

func (c *cloud) newGuarded(ctx context.Context) (_ *guarded, err error) {
	g := &guarded{c: c, x: newExpected(), credentials: map[string]aws.Credentials{}}
	url, err := c.bucket(ctx, "minio")
	if err != nil {
		return nil, err
	}
	copied, err := c.bucket(ctx, "minio")
	if err != nil {
		return nil, err
	}
	g.name, g.backup = bucketOf(url), bucketOf(copied)
	for _, name := range []string{g.name, g.backup} { // as module aws makes them
		if _, err := g.client("").PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		}); err != nil {
			return nil, err
		}
	}
	if g.lakeOf, err = c.newLake(ctx, url, "sqlite://"+filepath.Join(c.dir, c.name()+".db")); err != nil { // the roles' catalog is theirs to prove
		return nil, err
	}
	if g.watch, err = newWatch(c.url("minio")); err != nil {
		return nil, errors.Join(err, g.close())
	}
	g.env = append(g.env, "MEDLAKE_BUCKET="+strings.Replace(url, c.url("minio"), g.watch.URL, 1))
	g.backup = strings.Replace(copied, c.url("minio"), g.watch.URL, 1)
	if err := errors.Join(g.catalog(ctx), g.assume(ctx)); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

func bucketOf(url string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(url, "s3://"), "?")
	return name
}

// catalog gives the lake a new, empty catalog.
func (g *guarded) catalog(ctx context.Context) error {
	url, err := g.c.database(ctx)
	g.env = append(g.env, "MEDLAKE_CATALOG="+url)
	return err
}

// look opens the tables as an engine would, after a role has made them.
func (g *guarded) look(ctx context.Context) (err error) {
	if err := g.tables.Close(); err != nil {
		return err
	}
	_, url, _ := strings.Cut(g.env[len(g.env)-1], "=")
	g.tables, err = warehouse.Open(ctx, url, g.bucket)
	return err
}

// assume asks Terraform what each role may do with objects, and the store for credentials that may do just that.
func (g *guarded) assume(ctx context.Context) error {
	dir := filepath.Join(g.c.dir, g.c.name())
	if err := os.CopyFS(dir, os.DirFS("terraform/modules")); err != nil {
		return err
	}
	dir = filepath.Join(dir, "aws/rights")
	arn := "arn:aws:s3:::"
	for _, args := range [][]string{
		{"init", "-input=false"},
		{"apply", "-input=false", "-auto-approve", "-var=lake_arn=" + arn + g.name, "-var=backup_arn=" + arn + bucketOf(g.backup)},
	} {
		if _, err := g.c.terraform(ctx, dir, nil, args...); err != nil {
			return err
		}
	}
	out, err := g.c.terraform(ctx, dir, nil, "output", "-json", "statements")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, &g.statements); err != nil {
		return err
	}
	client := sts.New(sts.Options{Region: region, BaseEndpoint: aws.String(g.c.url("minio")), Credentials: root})
	for role, of := range g.statements {
		policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": of})
		if err != nil {
			return err
		}
		got, err := client.AssumeRole(ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/" + role), RoleSessionName: &role, Policy: aws.String(string(policy)),
		})
		if err != nil {
			return fmt.Errorf("assume %s: %w", role, err)
		}
		k := got.Credentials
		g.credentials[role] = aws.Credentials{AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken}
		g.watch.as(role, *k.AccessKeyId)
	}
	return nil
}

var root = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}, nil
})

// client speaks to the store itself, unwatched, as a role or, if it is empty, as who may do all.
func (g *guarded) client(role string) *s3.Client {
	o := s3.Options{Region: region, BaseEndpoint: aws.String(g.c.url("minio")), UsePathStyle: true, Credentials: root}
	if role != "" {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return g.credentials[role], nil })
	}
	return s3.New(o)
}

// as is the environment of a role's process.
func (g *guarded) as(role string, more ...string) []string {
	k := g.credentials[role]
	return append(append(slices.Clone(g.env), "AWS_ACCESS_KEY_ID="+k.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+k.SecretAccessKey, "AWS_SESSION_TOKEN="+k.SessionToken), more...)
}

// once runs a program to its end. Who opens the lake finds it unproved, so that each proves that it can do that too.
func (g *guarded) once(ctx context.Context, role, pkg string, args ...string) error {
	file, err := g.c.program(ctx, pkg)
	if err != nil {
		return err
	}
	if err := g.bucket.Delete(ctx, "proved"); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Env = append(os.Environ(), g.as(role, fmt.Sprintf("K_SINK=http://%s", address(g.ingest)))...)
	if err := g.c.do(cmd); err != nil {
		return fmt.Errorf("%s as %s: %w", args[0], role, err)
	}
	return nil
}
