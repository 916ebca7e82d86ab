// Package monitoring holds alerts, dashboards and runbooks to what the functions really tell.
package monitoring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"gopkg.in/yaml.v3"

	"medlake/shared/faas/meter"
	"medlake/shared/faas/telemetry"
	"medlake/shared/store"
)

// told gathers every metric as Prometheus sees it, with the names of its labels: all instruments are used once, and the
// bucket is too.
func told(t *testing.T) map[string][]string {
	t.Helper()
	registry := prometheus.NewRegistry()
	reader, err := otelprom.New(otelprom.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	p := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithView(telemetry.Views()...))
	otel.SetMeterProvider(p)
	m, err := meter.New(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range meter.Counters() {
		m.Add(t.Context(), c, 1)
	}
	for _, g := range meter.Gauges() {
		m.Set(t.Context(), g, 1)
	}
	for _, h := range meter.Histograms() {
		m.Observe(t.Context(), h, 1)
	}
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "a", []byte("b")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "medlake_") {
			continue
		}
		labels := []string{"job", "instance", "le"}
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		all[f.GetName()] = labels
	}
	return all
}

type rule struct {
	Alert       string
	Expr        string
	Annotations struct{ Runbook string }
}

func rules(t *testing.T) []rule {
	t.Helper()
	data, err := os.ReadFile("rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f.Groups[0].Rules
}

// queries are those of the dashboards, by dashboard and panel.
func queries(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	all := map[string][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				all[file+": "+p.Title] = append(all[file+": "+p.Title], q.Expr)
			}
		}
	}
	return all
}

var (
	metric  = regexp.MustCompile(`\b(medlake_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	grouped = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

// TestQueriesAreAboutWhatIsTold: every metric and label of alerts and dashboards is one that functions give.
func TestQueriesAreAboutWhatIsTold(t *testing.T) {
	all := told(t)
	used := map[string]bool{}
	check := func(where, expr string) {
		var have []string
		for _, m := range metric.FindAllStringSubmatch(expr, -1) {
			name := m[1]
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				if base, ok := strings.CutSuffix(name, suffix); ok && all[base] != nil {
					name = base
				}
			}
			labels := all[name]
			if labels == nil {
				t.Errorf("%s: nobody tells %s", where, m[1])
				continue
			}
			used[name] = true
			have = append(have, labels...)
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(labels, l[1]) {
					t.Errorf("%s: %s has no label %s", where, name, l[1])
				}
			}
		}
		for _, g := range grouped.FindAllStringSubmatch(expr, -1) {
			for l := range strings.SplitSeq(g[1], ",") {
				if l = strings.TrimSpace(l); !slices.Contains(have, l) {
					t.Errorf("%s: no label %s", where, l)
				}
			}
		}
	}
	for _, r := range rules(t) {
		check(r.Alert, r.Expr)
	}
	for where, exprs := range queries(t) {
		for _, e := range exprs {
			check(where, e)
		}
	}
	for name := range all {
		if !used[name] {
			t.Errorf("%s is in no alert and on no dashboard", name)
		}
	}
}

// TestReadmeListsWhatIsTold: all metrics and nothing else.
func TestReadmeListsWhatIsTold(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(medlake_[a-z_]+)`").FindAllStringSubmatch(string(data), -1) {
		listed[m[1]] = true
	}
	want := map[string]bool{}
	for name := range told(t) {
		want[name] = true
	}
	if d := cmp.Diff(want, listed); d != "" {
		t.Errorf("(-told +listed)\n%s", d)
	}
}

// TestEachAlertHasARunbookAndATest: and there is no runbook of an alert that is gone.
func TestEachAlertHasARunbookAndATest(t *testing.T) {
	t.Parallel()
	tests, err := os.ReadFile("rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range rules(t) {
		file := "runbooks/" + r.Alert + ".md"
		want = append(want, file)
		if r.Annotations.Runbook != file {
			t.Errorf("%s: its runbook is %s", r.Alert, r.Annotations.Runbook)
		}
		if strings.Count(string(tests), "alertname: "+r.Alert+"\n") < 2 {
			t.Errorf("%s is not tested both ways", r.Alert)
		}
	}
	have, err := filepath.Glob("runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
}
