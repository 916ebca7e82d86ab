package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"medlake/tests/kube/manifest"
)

type check struct {
	name string
	run  func(ctx context.Context, c *cluster) error
}

var checks = []check{
	{"kinds of Knative and CloudNativePG", kinds},
	{"knative/policy", folder("knative/policy")},
	{"terraform/examples/kubernetes", example},
	{"knative/overlays/aws", folder("knative/overlays/aws")},
	{"knative/overlays/aws-postgres", folder("knative/overlays/aws-postgres")},
	{"knative/overlays/gcp", folder("knative/overlays/gcp")},
	{"knative/overlays/azure", folder("knative/overlays/azure")},
	{"knative/overlays/onprem", folder("knative/overlays/onprem")},
	{"postgres", folder("postgres")},
	{"trino", folder("trino")},
	{"what is wrong is refused", wrong},
}

// kinds applies the custom resource definitions out of the modules of Knative and CloudNativePG.
func kinds(ctx context.Context, c *cluster) error {
	n := 0
	for module, files := range map[string]string{
		"knative.dev/serving":                              "config/core/300-resources/*.yaml",
		"knative.dev/eventing":                             "config/core/resources/*.yaml",
		"github.com/cloudnative-pg/cloudnative-pg@v1.28.0": "config/crd/bases/*_clusters.yaml",
	} {
		out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", module).Output()
		if err != nil {
			return fmt.Errorf("download %s: %w", module, err)
		}
		var of struct{ Dir string }
		if err := json.Unmarshal(out, &of); err != nil {
			return err
		}
		found, err := filepath.Glob(filepath.Join(of.Dir, files))
		if err != nil {
			return err
		}
		for _, file := range found {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			var head struct {
				Kind     string
				Metadata struct{ Name string }
			}
			if err := yaml.Unmarshal(data, &head); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			if head.Kind != "CustomResourceDefinition" {
				continue
			}
			if err := c.apply(ctx, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+head.Metadata.Name, data); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			n++
		}
	}
	if n < 10 {
		return fmt.Errorf("%d definitions", n)
	}
	return nil
}

// folder applies what kustomize makes of a folder of infra, and has the pods looked at that it would run.
func folder(name string) func(context.Context, *cluster) error {
	return func(ctx context.Context, c *cluster) error {
		objects, err := manifest.Build(filepath.Join("../../infra", name))
		if err != nil {
			return err
		}
		var errs []error
		for _, o := range objects {
			if err := c.apply(ctx, o.Path(), o.YAML); err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", o.Kind, o.Name, err))
				continue
			}
			if err := c.try(ctx, o); err != nil {
				errs = append(errs, fmt.Errorf("pod of %s %s: %w", o.Kind, o.Name, err))
			}
		}
		return errors.Join(errs...)
	}
}

// wrong changes one thing at a time and wants a refusal that says why.
func wrong(ctx context.Context, c *cluster) error {
	objects, err := manifest.Build("../../infra/knative/overlays/onprem")
	if err != nil {
		return err
	}
	if err := c.policies(ctx, objects); err != nil {
		return err
	}
	var errs []error
	for _, tt := range []struct {
		kind, object, old, new, want string
		pod                          bool
	}{
		{"Service", "ingest", "@sha256:" + strings.Repeat("0", 64), ":latest", "named by its digest", false},
		{"CronJob", "maintain", "@sha256:" + strings.Repeat("0", 64), ":latest", "named by its digest", false},
		{"Service", "ingest", "containerConcurrency:", "containerConcurency:", "containerConcurency", false},
		{"Service", "ingest", "timeoutSeconds: 600", "timeoutSeconds: ten", "timeoutSeconds", false},
		{"Trigger", "ingest", "retry: 8", "retry: eight", "retry", false},
		{"NetworkPolicy", "wake", "port: 8012", "port: 801200", "65535", false},
		{"CronJob", "sweep", "schedule: ", "schedule: every day #", "schedule", false},
		{"CronJob", "sweep", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "PodSecurity", true},
		{"CronJob", "sweep", "runAsNonRoot: true", "runAsNonRoot: false", "PodSecurity", true},
		{"CronJob", "sweep", "type: RuntimeDefault", "type: Unconfined", "PodSecurity", true},
		{"CronJob", "sweep", "emptyDir:\n              sizeLimit: 1Gi", "hostPath:\n              path: /etc", "PodSecurity", true},
	} {
		for _, o := range objects {
			if o.Kind != tt.kind || o.Name != tt.object {
				continue
			}
			if !bytes.Contains(o.YAML, []byte(tt.old)) {
				return fmt.Errorf("%s %s has no %q to change", tt.kind, tt.object, tt.old)
			}
			o.YAML = bytes.Replace(o.YAML, []byte(tt.old), []byte(tt.new), 1)
			err := c.apply(ctx, o.Path(), o.YAML)
			if tt.pod {
				bad, readErr := manifest.Read(o.YAML)
				if readErr != nil {
					return readErr
				}
				err = c.try(ctx, bad)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				errs = append(errs, fmt.Errorf("%s %s with %q: %v", tt.kind, tt.object, tt.new, err))
			}
		}
	}
	return errors.Join(errs...)
}

// policies waits until the admission policy is at work: the server takes a moment to read it.
func (c *cluster) policies(ctx context.Context, objects []manifest.Object) error {
	for start := time.Now(); time.Since(start) < 30*time.Second; {
		for _, o := range objects {
			if o.Kind != "Service" || o.Name != "dead" {
				continue
			}
			o.YAML = bytes.Replace(o.YAML, []byte("@sha256:"+strings.Repeat("0", 64)), []byte(":latest"), 1)
			err := c.apply(ctx, o.Path(), o.YAML)
			if r, ok := err.(refused); ok && r.code != http.StatusNotFound {
				return nil
			}
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the policy is not at work")
}
