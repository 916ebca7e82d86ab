// Package kube checks the manifests of infra: each object by the types of Kubernetes and Knative, and all of an overlay
// against each other, the roles of functions/main.go and the variables that those read.
package kube

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"medlake/tests/kube/manifest"
)

var folders = []string{
	"knative/overlays/aws", "knative/overlays/aws-postgres", "knative/overlays/gcp", "knative/overlays/azure", "knative/overlays/onprem", "knative/policy", "postgres", "trino",
}

func TestManifests(t *testing.T) {
	t.Parallel()
	f := read(t)
	for _, folder := range folders {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			objects, err := manifest.Build(filepath.Join(root, "infra", folder))
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range faults(objects, f) {
				t.Error(fault)
			}
		})
	}
}

// TestPlantedMistakes plants one mistake at a time in one object of an overlay.
func TestPlantedMistakes(t *testing.T) {
	t.Parallel()
	f := read(t)
	good, err := manifest.Build(filepath.Join(root, "infra/knative/overlays/onprem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ kind, object, old, new, want string }{
		// Found by the types.
		"unknown field":      {"Service", "ingest", "containerConcurrency:", "containerConcurency:", "unknown field"},
		"wrong type":         {"Service", "ingest", "timeoutSeconds: 600", "timeoutSeconds: 10m", "cannot unmarshal"},
		"timeout too long":   {"Service", "ingest", "timeoutSeconds: 600", "timeoutSeconds: 6000", "timeoutSeconds"},
		"scale below zero":   {"Service", "merge", `min-scale: "0"`, `min-scale: "-1"`, "min-scale"},
		"scale turned round": {"Service", "commit", `min-scale: "1"`, `min-scale: "5"`, "max-scale"},
		"window too short":   {"Service", "merge", "window: 10s", "window: 1s", "window"},
		"host path":          {"Service", "ingest", "secret:\n          secretName: passwords", "hostPath:\n          path: /etc", "hostPath"},
		"five fields":        {"PingSource", "merge", "'*/2 * * * *'", "'*/2 * * *'", "schedule"},
		"backoff":            {"Trigger", "ingest", "backoffPolicy: exponential", "backoffPolicy: expo", "backoffPolicy"},
		"delay":              {"Trigger", "ingest", "backoffDelay: PT2S", "backoffDelay: 2s", "backoffDelay"},
		"delivery timeout":   {"Trigger", "ingest", "retry: 8", "retry: 8\n    timeout: PT10S", "timeout"},
		"no subject":         {"SinkBinding", "sweep", "kind: Job", "kind: ''", "subject"},
		"unknown kind":       {"PingSource", "merge", "kind: PingSource", "kind: PongSource", "no such kind"},
		// Found by reading one beside another.
		"role that is none":   {"Service", "merge", "- merge", "- merger", `no role "merger"`},
		"role that is inside": {"Service", "merge", "- merge", "- alone", `no role "alone"`},
		"job that serves":     {"CronJob", "maintain", "- once", "- twice", "asks a role once"},
		"account":             {"ServiceAccount", "merge", "name: merge", "name: murge", `no service account "merge"`},
		"environment":         {"Service", "commit", "name: medlake-", "name: madlake-", "no config map madlake-"},
		"variable":            {"ConfigMap", "medlake-", "MEDLAKE_BUCKET:", "MEDLAKE_BUCKETS:", "no role reads MEDLAKE_BUCKETS"},
		"variable not set":    {"ConfigMap", "medlake-", "MEDLAKE_BUCKET:", "BUCKET:", "MEDLAKE_BUCKET is not set"},
		"password in URL":     {"ConfigMap", "medlake-", "postgres://medlake@", "postgres://medlake:secret@", "holds a password"},
		"wake":                {"ConfigMap", "medlake-", "http://commit.", "http://comit.", "MEDLAKE_COMMIT names no service"},
		"secret":              {"Service", "commit", "name: catalog", "name: catalogue", "the secret catalogue"},
		"tag":                 {"Service", "commit", "@sha256:" + strings.Repeat("0", 64), ":latest", "image registry.example.org/medlake/functions:latest"},
		"other registry":      {"Service", "commit", "registry.example.org/", "registry.example.com/", "image registry.example.com"},
		"sink":                {"PingSource", "merge", "kind: Service\n      name: merge", "kind: Service\n      name: murge", "no sink Service murge"},
		"dead letters":        {"Trigger", "ingest", "name: dead", "name: death", "no sink Service death"},
		"broker":              {"Trigger", "ingest", "broker: medlake", "broker: madlake", "no broker madlake"},
		"unbound":             {"SinkBinding", "sweep", "medlake/sink: broker", "medlake/sink: brokers", "K_SINK is not set"},
		"privileged":          {"CronJob", "sweep", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "not restricted"},
		"root":                {"CronJob", "sweep", "runAsNonRoot: true", "runAsNonRoot: false", "not restricted"},
		"capabilities":        {"Service", "ingest", "- ALL", "- KILL", "not restricted"},
		"seccomp":             {"Service", "ingest", "type: RuntimeDefault", "type: Unconfined", "not restricted"},
		"writable root":       {"Service", "ingest", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "root can be written to"},
		"no folder to spool":  {"Service", "ingest", "mountPath: /tmp", "mountPath: /temp", "no /tmp"},
		"too little memory":   {"Service", "ingest", "memory: 1Gi", "memory: 600Mi", "GOMEMLIMIT"},
		"policy":              {"NetworkPolicy", "wake", "serving.knative.dev/service: ingest", "serving.knative.dev/service: inject", "selects no pod"},
		"budget":              {"PodDisruptionBudget", "ingest", "maxUnavailable: 1", "minAvailable: 1", "could not be emptied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			planted := false
			objects := make([]manifest.Object, len(good))
			for i, o := range good {
				objects[i] = o
				if o.Kind != tt.kind || o.Name != tt.object && !(strings.HasSuffix(tt.object, "-") && strings.HasPrefix(o.Name, tt.object)) {
					continue
				}
				bad := bytes.Replace(o.YAML, []byte(tt.old), []byte(tt.new), 1)
				if planted = !bytes.Equal(bad, o.YAML); !planted {
					t.Fatalf("%q is not in\n%s", tt.old, o.YAML)
				}
				var err error
				if objects[i], err = manifest.Read(bad); err != nil {
					if !strings.Contains(err.Error(), tt.want) {
						t.Errorf("got %v, want %s", err, tt.want)
					}
					return
				}
			}
			if !planted {
				t.Fatalf("there is no %s %s", tt.kind, tt.object)
			}
			if got := strings.Join(faults(objects, f), "\n"); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %s", got, tt.want)
			}
		})
	}
}
