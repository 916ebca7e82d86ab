package kube

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	security "k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"
	eventing "knative.dev/eventing/pkg/apis/eventing/v1"
	sources "knative.dev/eventing/pkg/apis/sources/v1"
	duck "knative.dev/pkg/apis/duck/v1"
	serving "knative.dev/serving/pkg/apis/serving/v1"

	"medlake/tests/kube/manifest"
)

// ours are images of this project; others name theirs by a version.
const ours = "registry.example.org/medlake/functions@"

var pinned = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// faults are what is wrong with a set of objects as a whole.
func faults(objects []manifest.Object, f facts) []string {
	var list []string
	fault := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	running := pods(objects)
	roles := map[string]bool{}
	for _, p := range running {
		roles[p.role()] = true
		list = append(list, p.faults(objects, f)...)
	}
	for _, o := range objects {
		switch v := o.Value.(type) {
		case *networking.NetworkPolicy:
			if !slices.ContainsFunc(running, func(p pod) bool { return selects(&v.Spec.PodSelector, p.labels) }) && !strings.Contains(string(o.YAML), "cnpg.io/cluster") {
				fault("network policy %s selects no pod", o.Name)
			}
		case *policy.PodDisruptionBudget:
			if !slices.ContainsFunc(running, func(p pod) bool { return selects(v.Spec.Selector, p.labels) }) {
				fault("disruption budget %s selects no pod", o.Name)
			}
			if v.Spec.MaxUnavailable == nil {
				fault("disruption budget %s: what may go to one or none cannot keep a minimum: nodes could not be emptied", o.Name)
			}
		case *eventing.Trigger:
			if _, ok := find(objects, "eventing.knative.dev/v1 Broker", v.Spec.Broker); !ok {
				fault("trigger %s: no broker %s", o.Name, v.Spec.Broker)
			}
			if d := v.Spec.Delivery; d == nil || d.Retry == nil || d.DeadLetterSink == nil {
				fault("trigger %s: no retry or no dead letter sink", o.Name)
			} else {
				list = append(list, sink(objects, o, *d.DeadLetterSink)...)
			}
			list = append(list, sink(objects, o, v.Spec.Subscriber)...)
		case *sources.PingSource:
			list = append(list, sink(objects, o, v.Spec.Sink)...)
		case *sources.SinkBinding:
			list = append(list, sink(objects, o, v.Spec.Sink)...)
		case *core.ServiceAccount:
			if !slices.ContainsFunc(running, func(p pod) bool { return p.spec.ServiceAccountName == o.Name }) {
				fault("service account %s: nobody has it", o.Name)
			}
		case *core.ConfigMap:
			for name, value := range v.Data {
				if strings.HasPrefix(name, "MEDLAKE_") && !f.variables[name] {
					fault("config map %s: no role reads %s", o.Name, name)
				}
				if u, err := url.Parse(value); err == nil && u.User != nil {
					if _, has := u.User.Password(); has {
						fault("config map %s: %s holds a password", o.Name, name)
					}
				}
			}
		}
	}
	for role := range f.roles {
		if role != "alone" && roles["ingest"] && !roles[role] {
			fault("role %s: nothing runs it", role)
		}
	}
	slices.Sort(list)
	return list
}

// faults of one pod.
func (p pod) faults(objects []manifest.Object, f facts) []string {
	var list []string
	fault := func(format string, args ...any) {
		list = append(list, fmt.Sprintf("%s %s: ", p.of.Kind, p.of.Name)+fmt.Sprintf(format, args...))
	}
	evaluator, err := podsecurity.NewEvaluator(podsecurity.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	result := podsecurity.AggregateCheckResults(evaluator.EvaluatePod(security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}, &p.meta, &p.spec))
	if !result.Allowed {
		fault("not restricted: %s", result.ForbiddenDetail())
	}
	if _, ok := find(objects, "v1 ServiceAccount", p.spec.ServiceAccountName); !ok {
		fault("no service account %q", p.spec.ServiceAccountName)
	}
	env, secrets, missing := p.environment(objects)
	for _, m := range missing {
		fault("no %s", m)
	}
	for s := range secrets {
		if !strings.Contains(f.readme, "`"+s+"`") {
			fault("infra/README.md does not tell of the secret %s", s)
		}
	}
	c := p.spec.Containers[0]
	if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		fault("its root can be written to")
	}
	if c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() {
		fault("no requests or no limit of memory")
	}
	mounted := func(path string) bool {
		return slices.ContainsFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == path })
	}
	if !mounted("/tmp") {
		fault("no /tmp to spool to")
	}
	role := p.role()
	if role == "" {
		if !strings.Contains(c.Image, ":") {
			fault("image without a version")
		}
		return list
	}
	once, known := f.roles[role]
	switch {
	case !known || role == "alone":
		fault("no role %q", role)
	case p.of.Kind == "CronJob" && (!once || len(c.Args) < 2 || c.Args[1] != "once"):
		fault("a job asks a role once")
	case p.of.Kind == "Service" && len(c.Args) != 1:
		fault("a service has one argument, the role")
	}
	if !strings.HasPrefix(c.Image, ours) || !pinned.MatchString(c.Image) {
		fault("image %s", c.Image)
	}
	for _, need := range needs[role] {
		if env[need] == "" {
			fault("%s is not set", need)
		}
	}
	if strings.HasPrefix(env["MEDLAKE_SECRETS"], "file:///etc/medlake/secrets/") && role == "ingest" && !mounted("/etc/medlake/secrets") {
		fault("the secrets are not mounted")
	}
	if strings.HasPrefix(env["MEDLAKE_CATALOG"], "postgres") != secrets["catalog"] && slices.Contains(needs[role], "MEDLAKE_CATALOG") {
		fault("a catalog in PostgreSQL, and only that, has a password")
	}
	if u, err := url.Parse(env["MEDLAKE_COMMIT"]); err != nil || role == "ingest" && !serves(objects, u.Hostname()) {
		fault("MEDLAKE_COMMIT names no service")
	}
	limit, most := c.Resources.Limits.Memory().Value()>>20, env["GOMEMLIMIT"]
	soft, err := resource.ParseQuantity(strings.TrimSuffix(most, "B"))
	if err != nil || soft.Value()>>20 >= limit || soft.Value()>>20 <= measured[role] {
		fault("GOMEMLIMIT %s, measured %d Mi, limit %d Mi", most, measured[role], limit)
	}
	if port := c.Ports; len(port) > 0 && port[0].ContainerPort != 8080 {
		fault("port %d", port[0].ContainerPort)
	}
	return list
}

// serves reports whether host is a Knative Service of ours.
func serves(objects []manifest.Object, host string) bool {
	for _, o := range objects {
		if _, ok := o.Value.(*serving.Service); ok && host == o.Name+"."+o.Namespace+".svc.cluster.local" {
			return true
		}
	}
	return false
}

// sink tells of a destination that is not among the objects.
func sink(objects []manifest.Object, of manifest.Object, d duck.Destination) []string {
	if d.Ref == nil {
		return []string{fmt.Sprintf("%s %s: a sink is named by reference", of.Kind, of.Name)}
	}
	if _, ok := find(objects, d.Ref.APIVersion+" "+d.Ref.Kind, d.Ref.Name); !ok {
		return []string{fmt.Sprintf("%s %s: no sink %s %s", of.Kind, of.Name, d.Ref.Kind, d.Ref.Name)}
	}
	return nil
}
