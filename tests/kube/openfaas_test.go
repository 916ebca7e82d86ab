package kube

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// stack is as much of a stack of faas-cli as infra/openfaas sets.
type stack struct {
	Version  any `json:"version"`
	Provider struct {
		Name    string `json:"name"`
		Gateway string `json:"gateway"`
	} `json:"provider"`
	Functions map[string]struct {
		SkipBuild    bool              `json:"skip_build"`
		Image        string            `json:"image"`
		Environment  map[string]string `json:"environment"`
		Secrets      []string          `json:"secrets"`
		Labels       map[string]string `json:"labels"`
		ReadOnlyRoot bool              `json:"readonly_root_filesystem"`
		Requests     resources         `json:"requests"`
		Limits       resources         `json:"limits"`
	} `json:"functions"`
}

type resources struct {
	CPU    string `json:"cpu"`
	Memory string `json:"memory"`
}

// TestStack: every role but those that only Knative needs, and ingest's own child, is a function.
func TestStack(t *testing.T) {
	t.Parallel()
	f := read(t)
	var s stack
	if err := yaml.UnmarshalStrict([]byte(text(t, filepath.Join(root, "infra/openfaas/stack.yaml"))), &s); err != nil {
		t.Fatal(err)
	}
	if s.Provider.Name != "openfaas" {
		t.Errorf("provider %s", s.Provider.Name)
	}
	for role := range f.roles {
		if _, ok := s.Functions[role]; !ok && role != "alone" && role != "dead" {
			t.Errorf("role %s is no function", role)
		}
	}
	for name, fn := range s.Functions {
		if _, ok := f.roles[name]; !ok || !fn.SkipBuild || !fn.ReadOnlyRoot || fn.Limits.Memory == "" ||
			!strings.HasPrefix(fn.Image, "registry.example.org/medlake/"+name+":") {
			t.Errorf("%s: %+v", name, fn)
		}
		for _, need := range needs[name] {
			if fn.Environment[need] == "" {
				t.Errorf("%s: %s is not set", name, need)
			}
		}
		for v := range fn.Environment {
			if strings.HasPrefix(v, "MEDLAKE_") && !f.variables[v] {
				t.Errorf("%s: no role reads %s", name, v)
			}
		}
		for _, v := range []string{"MEDLAKE_COMMIT", "K_SINK"} {
			u, err := url.Parse(fn.Environment[v])
			if err != nil {
				t.Fatal(err)
			}
			if to, _, _ := strings.Cut(u.Hostname(), "."); s.Functions[to].Image == "" || u.Port() != "8080" {
				t.Errorf("%s: %s names no function", name, v)
			}
		}
		if slices.Contains(needs[name], "MEDLAKE_CATALOG") != slices.Contains(fn.Secrets, "catalog") {
			t.Errorf("%s: secrets %v", name, fn.Secrets)
		}
	}
}
