package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"medlake/tests/kube/manifest"
)

// hidden are values of secrets: they are in Secrets and nowhere else.
var hidden = map[string]map[string]string{
	"catalog":   {"username": "medlake", "password": "hidden-catalog"},
	"store":     {"AWS_ACCESS_KEY_ID": "hidden-id", "AWS_SECRET_ACCESS_KEY": "hidden-key"},
	"passwords": {"zip-acme": "hidden-zip"},
}

// example applies terraform/examples/kubernetes as whoever runs a lake does: installs it, looks, splits traffic, upgrades as
// another user, rolls back, changes a password, removes it.
func example(ctx context.Context, c *cluster) (err error) {
	path, err := exec.LookPath("terraform")
	if err != nil {
		return absent("terraform is not in PATH")
	}
	var objects []manifest.Object
	for _, folder := range []string{"knative/overlays/onprem", "postgres"} {
		made, err := manifest.Build(filepath.Join("../../infra", folder))
		if err != nil {
			return err
		}
		objects = append(objects, made...)
	}
	stop, err := c.knative(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	t, err := c.terraform(ctx, path, objects)
	if err != nil {
		return err
	}
	image := func(digit string) string {
		return "registry.clinic.example/medlake/functions@sha256:" + strings.Repeat(digit, 64)
	}
	variables := map[string]any{
		"kubeconfig": filepath.Join(t.dir, "kubeconfig"), "context": "admin", "manifests": []string{filepath.Join(t.dir, "manifests.yaml")},
		"image": image("a"), "bucket_url": "s3://lake?region=us-east-1&endpoint=https://s3.clinic.example:9000&use_path_style=true",
		"secret_values": hidden,
	}
	if _, err := t.run(ctx, nil, "get"); err != nil {
		return err
	}

	if err := t.step(ctx, variables, nil); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	first, err := c.services(ctx)
	if err != nil {
		return err
	}
	if err := c.installed(ctx, t, first, image("a")); err != nil {
		return fmt.Errorf("installed: %w", err)
	}
	split := fmt.Appendf(nil, `{"spec":{"traffic":[{"revisionName":%q,"percent":90},{"latestRevision":true,"percent":10}]}}`, first["ingest"].Revision())
	if err := c.do(ctx, http.MethodPatch, services+"/ingest", "application/merge-patch+json", split); err != nil {
		return err
	}
	if err := t.step(ctx, variables, []change{}); err != nil {
		return fmt.Errorf("the same again, with traffic split by hand: %w", err)
	}

	var run []change // each Service and CronJob, and nothing else
	for _, o := range objects {
		switch {
		case o.Kind == "CronJob":
			run = append(run, change{`kubernetes_manifest.object["batch/v1 CronJob ` + o.Name + `"]`, "update"})
		case strings.HasPrefix(o.Version, "serving."):
			run = append(run, change{`kubernetes_manifest.service["` + o.Name + `"]`, "update"})
		}
	}
	slices.SortFunc(run, func(a, b change) int { return strings.Compare(a.address, b.address) })
	for _, digit := range []string{"b", "a"} {
		variables["image"], variables["context"] = image(digit), map[string]string{"b": "deployer", "a": "admin"}[digit]
		if err := t.step(ctx, variables, run); err != nil {
			return fmt.Errorf("image %s: %w", digit, err)
		}
		now, err := c.services(ctx)
		if err != nil {
			return err
		}
		for name, s := range now {
			if s.Metadata.UID != first[name].Metadata.UID || bytes.Equal(s.Spec.Template, first[name].Spec.Template) != (digit == "a") {
				return fmt.Errorf("image %s: ksvc %s, first revision %s, now %s", digit, name, first[name].Revision(), s.Revision())
			}
		}
		if t := string(now["ingest"].Spec.Traffic); !strings.Contains(t, `"percent":90`) {
			return fmt.Errorf("image %s: traffic is %s", digit, t)
		}
	}

	values := maps.Clone(hidden)
	values["catalog"] = map[string]string{"username": "medlake", "password": "hidden-later"}
	variables["secret_values"], variables["secrets"] = values, map[string]int{"catalog": 2, "store": 1, "passwords": 1}
	if err := t.step(ctx, variables, []change{
		{`kubernetes_manifest.service["commit"]`, "update"},
		{`kubernetes_manifest.service["merge"]`, "update"},
		{`kubernetes_secret_v1.this["catalog"]`, "update"},
	}); err != nil {
		return fmt.Errorf("another password: %w", err)
	}
	if err := c.secret(ctx, "catalog", values["catalog"]); err != nil {
		return err
	}

	if err := t.destroy(ctx, variables); err != nil {
		return err
	}
	for _, o := range objects {
		if r, ok := c.do(ctx, http.MethodGet, o.Path(), "", nil).(refused); !ok || r.code != http.StatusNotFound {
			return fmt.Errorf("left after destroy: %s %s", o.Kind, o.Name)
		}
	}
	for _, plural := range []string{"configmaps", "secrets"} {
		var list struct{ Items []any }
		if err := c.get(ctx, "/api/v1/namespaces/medlake/"+plural, &list); err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return fmt.Errorf("left after destroy: %d %s", len(list.Items), plural)
		}
	}
	return nil
}

// step plans, compares the changes with those that are wanted (nil: all are created) and applies them. No value of a secret
// may be in the plan or in the state after it.
func (t *terraform) step(ctx context.Context, variables map[string]any, want []change) error {
	changes, plan, err := t.plan(ctx, variables)
	if err != nil {
		return err
	}
	if want == nil {
		for _, c := range changes {
			want = append(want, change{c.address, "create"})
		}
	}
	if !slices.Equal(changes, want) {
		return fmt.Errorf("the plan changes %v, want %v", changes, want)
	}
	if err := t.apply(ctx, variables); err != nil {
		return err
	}
	state, err := os.ReadFile(filepath.Join(t.dir, "state"))
	if err != nil {
		return err
	}
	if !bytes.Contains(state, []byte("kubernetes_secret_v1")) || bytes.Contains(append(plan, state...), []byte("hidden-")) {
		return errors.New("a value of a secret is in plan or state")
	}
	return nil
}

const services = "/apis/serving.knative.dev/v1/namespaces/medlake/services"

// service is a Service of Knative as the API server has it.
type service struct {
	Metadata struct{ Name, UID string }
	Spec     struct{ Template, Traffic json.RawMessage }
	Status   struct{ LatestReadyRevisionName string }
}

// Revision is the name that its template gives to a revision.
func (s service) Revision() string {
	var t struct{ Metadata struct{ Name string } }
	if json.Unmarshal(s.Spec.Template, &t) != nil {
		return ""
	}
	return t.Metadata.Name
}

func (c *cluster) services(ctx context.Context) (map[string]service, error) {
	var list struct{ Items []service }
	err := c.get(ctx, services, &list)
	byName := map[string]service{}
	for _, s := range list.Items {
		byName[s.Metadata.Name] = s
	}
	return byName, err
}

// installed looks at what the first apply has made.
func (c *cluster) installed(ctx context.Context, t *terraform, made map[string]service, image string) error {
	if len(made) != 4 {
		return fmt.Errorf("%d Services", len(made))
	}
	for name, s := range made {
		if !strings.HasPrefix(s.Revision(), name+"-") || s.Status.LatestReadyRevisionName != s.Revision() || !bytes.Contains(s.Spec.Template, []byte(image)) {
			return fmt.Errorf("ksvc %s: revision %s, ready is %s", name, s.Revision(), s.Status.LatestReadyRevisionName)
		}
	}
	for name, values := range hidden {
		if err := c.secret(ctx, name, values); err != nil {
			return err
		}
	}
	var maps json.RawMessage
	if err := c.get(ctx, "/api/v1/namespaces/medlake/configmaps", &maps); err != nil {
		return err
	}
	if bytes.Contains(maps, []byte("hidden-")) || !bytes.Contains(maps, []byte("s3.clinic.example")) {
		return errors.New("config maps hold a secret, or not the bucket")
	}
	return nil
}

// secret wants a Secret to hold these values.
func (c *cluster) secret(ctx context.Context, name string, values map[string]string) error {
	var s struct{ Data map[string][]byte }
	if err := c.get(ctx, "/api/v1/namespaces/medlake/secrets/"+name, &s); err != nil {
		return err
	}
	got := map[string]string{}
	for k, v := range s.Data {
		got[k] = string(v)
	}
	if !maps.Equal(got, values) {
		return fmt.Errorf("secret %s has %d keys, other ones or other values", name, len(got))
	}
	return nil
}
