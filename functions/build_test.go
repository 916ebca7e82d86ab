package main

import (
	"go/build"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// forbidden are parts of Knative's library that bring the whole Kubernetes client, 37 MB, into the binary, or that panic
// outside a cluster.
var forbidden = []string{
	"k8s.io/client-go", "k8s.io/api/", "knative.dev/pkg/injection", "knative.dev/pkg/controller", "knative.dev/pkg/apis/duck",
	"knative.dev/pkg/observability/resource",
}

// TestKnativeStaysSmall walks the sources of what is imported from knative.dev/pkg, which are few.
func TestKnativeStaysSmall(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var walk func(path, dir string)
	walk = func(path, dir string) {
		if seen[path] {
			return
		}
		seen[path] = true
		for _, f := range forbidden {
			if strings.HasPrefix(path+"/", f) {
				t.Errorf("%s is linked", path)
			}
		}
		p, err := build.Import(path, dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, "knative.dev/") || strings.HasPrefix(imp, "k8s.io/") || strings.HasPrefix(imp, "medlake/shared/faas") {
				walk(imp, dir)
			}
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	walk("medlake/shared/faas/telemetry", filepath.Dir(dir))
	walk("medlake/shared/faas", filepath.Dir(dir))
	if !seen["knative.dev/pkg/signals"] || !seen["knative.dev/pkg/observability"] {
		t.Error("the walk found no Knative: it looks in the wrong place")
	}
}
