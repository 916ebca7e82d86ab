package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// terraformChecks: what Terraform makes is a lake that works.
var terraformChecks = []check{
	{name: "terraform: what it makes on a mock AWS takes uploads through its queue", needs: []string{"moto"}, run: applied},
}

const (
	appliedName    = "check"
	appliedUploads = 12
)

// applied applies examples/aws to the mock cloud, puts locked zips where a sender's policy lets it, has an ingest process pull
// from the queue with the environment that Terraform tells, and reads the rows. Then nothing is left.
//
// Three things are not AWS's. The mock does not read the conditions of policies, so deny_plain_http is off. Its Glue ignores
// versions, so one process commits (committers=1). It cannot remove markers of deletion once a bucket's versions are off, as
// force_destroy does, so the check empties the bucket.
func applied(ctx context.Context, c *cloud) error {
	cloud := c.url("moto")
	at := []string{"AWS_ENDPOINT_URL=" + cloud}
	dir := filepath.Join(c.dir, c.name())
	if err := os.CopyFS(dir, os.DirFS("terraform")); err != nil {
		return err
	}
	dir = filepath.Join(dir, "examples/aws")
	vars := map[string]any{
		"name": appliedName, "region": region, "catalog": "glue", "deny_plain_http": false, "force_destroy": true,
		"oidc_provider_arn": "arn:aws:iam::123456789012:oidc-provider/oidc.eks." + region + ".amazonaws.com/id/CHECK",
		"customers":         map[string]any{"acme": map[string]any{}, "birch": map[string]any{}, "cedar": map[string]any{}, "stmary": map[string]any{}},
	}
	data, err := json.Marshal(vars)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "terraform.tfvars.json"), data, 0o600); err != nil {
		return err
	}
	if _, err := c.terraform(ctx, dir, at, "init", "-input=false"); err != nil {
		return fmt.Errorf("%w\n\tterraform/README.md says where the plugin is looked for", err)
	}
	start := time.Now()
	_, err = c.terraform(ctx, dir, at, "apply", "-input=false", "-auto-approve")
	made := time.Since(start)
	client := s3.New(s3.Options{Region: region, BaseEndpoint: &cloud, Credentials: root})
	if err == nil {
		err = c.throughQueue(ctx, dir, cloud)
	}
	if err == nil {
		err = empty(ctx, client, appliedName+"-lake")
	}
	start = time.Now()
	if _, gone := c.terraform(ctx, dir, at, "destroy", "-input=false", "-auto-approve"); gone != nil || err != nil {
		return errors.Join(err, gone)
	}
	c.say("     applied in %.0f s, destroyed in %.0f s", made.Seconds(), time.Since(start).Seconds())
	left, err := c.terraform(ctx, dir, at, "state", "list")
	if err != nil || len(left) > 0 {
		return errors.Join(err, fmt.Errorf("left behind: %s", left))
	}
	buckets, err := client.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	for _, b := range buckets.Buckets {
		if strings.HasPrefix(*b.Name, appliedName+"-") {
			return fmt.Errorf("bucket %s is left behind", *b.Name)
		}
	}
	return nil
}

// empty removes every version of every object.
func empty(ctx context.Context, client *s3.Client, bucket string) error {
	for {
		all, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket})
		if err != nil {
			return err
		}
		var gone []types.ObjectIdentifier
		for _, v := range all.Versions {
			gone = append(gone, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range all.DeleteMarkers {
			gone = append(gone, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(gone) == 0 {
			return nil
		}
		if _, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: gone}}); err != nil {
			return err
		}
	}
}

// throughQueue has uploads become rows with the environment that Terraform tells, and nothing else but the metadata.
func (c *cloud) throughQueue(ctx context.Context, dir, endpoint string) (err error) {
	out, err := c.terraform(ctx, dir, nil, "output", "-json", "environment")
	if err != nil {
		return err
	}
	var environment map[string]string
	if err := json.Unmarshal(out, &environment); err != nil {
		return err
	}
	bucket, catalog := environment["MEDLAKE_BUCKET"], environment["MEDLAKE_CATALOG"]+"&committers=1"
	if err := os.Setenv("AWS_ENDPOINT_URL", endpoint); err != nil { // for us, and the processes of this check
		return err
	}
	defer func() { err = errors.Join(err, os.Unsetenv("AWS_ENDPOINT_URL")) }()
	l, err := c.newLake(ctx, bucket, catalog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for name, value := range environment {
		l.env = append(l.env, name+"="+value)
	}
	l.env = append(l.env, "MEDLAKE_CATALOG="+catalog)
	vault := secretsmanager.New(secretsmanager.Options{Region: region, BaseEndpoint: &endpoint, Credentials: root})
	for _, customer := range customers {
		if _, err := vault.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId: aws.String(appliedName + "/zip/" + customer), SecretString: aws.String(password(customer)),
		}); err != nil {
			return err
		}
	}
	if err := c.role(ctx, l, "commit"); err != nil { // tells how the files of its tables are written
		return err
	}
	file, err := c.program(ctx, "./functions")
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	p, err := c.start("ingest-"+c.name(), append(l.env, fmt.Sprintf("PORT=%d", port)), file, "ingest")
	if err != nil {
		return err
	}
	defer p.stop()
	x := newExpected()
	for n := range appliedUploads {
		if _, err := x.send(ctx, l, n, manyRows); err != nil {
			return err
		}
	}
	limited, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	for n := 0; n < appliedUploads; {
		if !wait(limited, time.Second) {
			return fmt.Errorf("%d of %d uploads came through the queue", n, appliedUploads)
		}
		if n, err = l.pending(ctx); err != nil {
			return err
		}
	}
	if err := errors.Join(c.role(ctx, l, "commit"), c.role(ctx, l, "merge")); err != nil {
		return err
	}
	return x.compare(ctx, l)
}

// role has a role look for work once.
func (c *cloud) role(ctx context.Context, l *lakeOf, role string) error {
	file, err := c.program(ctx, "./functions")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, file, role, "once")
	cmd.Env = append(os.Environ(), l.env...)
	return c.do(cmd)
}

// terraform runs a command of Terraform in a folder, and returns what it wrote to its output.
func (c *cloud) terraform(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	file, err := c.tool("terraform")
	if err != nil {
		return nil, err
	}
	rc := filepath.Join(c.dir, "terraformrc")
	if !exists(rc) {
		text, err := exec.CommandContext(ctx, "bash", "tests/terraformrc.sh").Output()
		if err != nil {
			return nil, fmt.Errorf("tests/terraformrc.sh: %w", err)
		}
		if err := os.WriteFile(rc, text, 0o600); err != nil {
			return nil, err
		}
	}
	var out, faults bytes.Buffer
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &faults
	cmd.Env = append(append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "TF_CLI_ARGS=-no-color"), env...)
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(faults.String()), "\n")
		return nil, fmt.Errorf("terraform %s: %w: %s", args[0], err, strings.Join(lines[max(0, len(lines)-15):], "\n\t"))
	}
	return out.Bytes(), nil
}
