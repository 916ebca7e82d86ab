package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"medlake/shared/store"
)

// monitoringChecks: alerts and dashboards ask what Prometheus understands, and what functions answer.
var monitoringChecks = []check{
	{name: "monitoring: rules and their tests, queries of dashboards", needs: []string{"promtool"}, run: monitoringRules},
	{name: "monitoring: a Prometheus beside functions that work", needs: []string{"promtool"}, run: monitoringReal},
}

const monitoring = "infra/monitoring"

func monitoringRules(ctx context.Context, c *cloud) error {
	tool, err := c.tool("promtool")
	if err != nil {
		return err
	}
	exprs, err := dashboardQueries()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("groups:\n  - name: dashboards\n    rules:\n")
	for _, panel := range slices.Sorted(maps.Keys(exprs)) {
		for _, e := range exprs[panel] {
			quoted, err := json.Marshal(e)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "      - {record: \"q\", expr: %s}\n", quoted)
		}
	}
	asked := filepath.Join(c.dir, "dashboards.yaml")
	if err := os.WriteFile(asked, []byte(b.String()), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"check", "rules", filepath.Join(monitoring, "rules.yaml")},
		{"check", "rules", "--lint=none", asked},
		{"test", "rules", filepath.Join(monitoring, "rules_test.yaml")},
	} {
		if err := c.do(exec.CommandContext(ctx, tool, args...)); err != nil {
			return err
		}
	}
	return nil
}

// dashboardQueries are the queries by panel, as Grafana sends them.
func dashboardQueries() (map[string][]string, error) {
	files, err := filepath.Glob(monitoring + "/dashboards/*.json")
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var d struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(data, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				all[p.Title] = append(all[p.Title], strings.ReplaceAll(q.Expr, "$__rate_interval", "1m"))
			}
		}
	}
	return all, nil
}

// mustAnswer are panels that have numbers once uploads were processed, committed and swept.
var mustAnswer = []string{
	"Uploads a second", "From arrival until visible", "Waiting for the log", "Became visible, a second", "Records a second, by table",
	"Time of an upload in ingest", "Events a second, by outcome", "Rounds an hour", "Since the last round that ended well",
	"Requests to the bucket a second (what it costs)", "Time of requests to the bucket, 99 of 100", "Bytes from and to the bucket",
	"Calls by way of the catalog a second", "Log",
}

func monitoringReal(ctx context.Context, c *cloud) (err error) {
	dir := filepath.Join(c.dir, c.name())
	l, err := c.newLake(ctx, store.FileURL(filepath.Join(dir, "bucket")), "sqlite://"+filepath.Join(dir, "catalog.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	f, err := c.newFamily(ctx, l.env)
	if err != nil {
		return err
	}
	var targets []string
	for _, role := range []string{"commit", "merge", "ingest", "sweep"} {
		port, err := freePort()
		if err != nil {
			return err
		}
		at := fmt.Sprintf("127.0.0.1:%d", port)
		targets = append(targets, fmt.Sprintf("{job_name: medlake/%s, static_configs: [{targets: [%q]}]}", role, at))
		env := []string{"MEDLAKE_METRICS=prometheus", "MEDLAKE_METRICS_ENDPOINT=" + at}
		switch role {
		case "ingest":
			env = append(env, fmt.Sprintf("MEDLAKE_COMMIT=http://127.0.0.1:%d", f.next("commit").port))
		case "sweep":
			env = append(env, fmt.Sprintf("K_SINK=http://127.0.0.1:%d", f.next("ingest").port))
		}
		if err := f.start(ctx, role, 1, 4, env...); err != nil {
			return err
		}
	}
	server, err := c.prometheus(ctx, dir, targets)
	if err != nil {
		return err
	}
	ingest := "http://" + address(f.next("ingest").port)
	x := newExpected()
	for n := range 30 {
		a, err := x.send(ctx, l, n, 20)
		if err == nil {
			err = tell(ctx, ingest, a)
		}
		if err != nil {
			return err
		}
		if !wait(ctx, 200*time.Millisecond) { // rates want more than one sample
			return ctx.Err()
		}
	}
	exprs, err := dashboardQueries()
	if err != nil {
		return err
	}
	answered := 0
	var missing []string
	for range 20 {
		if !wait(ctx, time.Second) {
			return ctx.Err()
		}
		answered, missing = 0, nil
		for _, panel := range slices.Sorted(maps.Keys(exprs)) {
			series := 0
			for _, e := range exprs[panel] {
				n, err := ask(ctx, server, e)
				if err != nil {
					return fmt.Errorf("%s: %w", panel, err)
				}
				series += n
			}
			if series > 0 {
				answered++
			} else if slices.Contains(mustAnswer, panel) {
				missing = append(missing, panel)
			}
		}
		if len(missing) == 0 {
			c.say("     30 uploads; %d of %d panels have series", answered, len(exprs))
			return nil
		}
	}
	return fmt.Errorf("no series in %s", strings.Join(missing, "; "))
}

// prometheus starts a server that scrapes targets each second and knows the alerts.
func (c *cloud) prometheus(ctx context.Context, dir string, targets []string) (string, error) {
	file, err := c.tool("prometheus")
	if err != nil {
		return "", err
	}
	rules, err := filepath.Abs(filepath.Join(monitoring, "rules.yaml"))
	if err != nil {
		return "", err
	}
	config := fmt.Sprintf("global: {scrape_interval: 1s}\nrule_files: [%q]\nscrape_configs: [%s]\n", rules, strings.Join(targets, ", "))
	at := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(at, []byte(config), 0o600); err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	p, err := c.start("prometheus", nil, file, "--config.file="+at, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	if err != nil {
		return "", err
	}
	server := fmt.Sprintf("http://127.0.0.1:%d", port)
	return server, p.ready(ctx, func() error {
		_, err := ask(ctx, server, "vector(1)")
		return err
	})
}

// ask counts the series that a query gives now.
func ask(ctx context.Context, server, expr string) (n int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	return len(answer.Data.Result), nil
}
