package kube

import (
	"maps"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	sources "knative.dev/eventing/pkg/apis/sources/v1"
	serving "knative.dev/serving/pkg/apis/serving/v1"

	"medlake/tests/kube/manifest"
)

// pod is what an object makes the cluster run.
type pod struct {
	of     manifest.Object
	meta   meta.ObjectMeta
	labels map[string]string // with those that Knative gives
	spec   core.PodSpec
	bound  bool // a SinkBinding gives it K_SINK
}

// role is the argument of our program; empty for a program of others.
func (p pod) role() string {
	if c := p.spec.Containers[0]; len(c.Args) > 0 && p.of.Kind != "Deployment" {
		return c.Args[0]
	}
	return ""
}

func pods(objects []manifest.Object) []pod {
	var list []pod
	for _, o := range objects {
		t, ok := o.Template()
		if !ok {
			continue
		}
		p := pod{of: o, meta: t.ObjectMeta, labels: maps.Clone(t.Labels), spec: t.Spec}
		switch v := o.Value.(type) {
		case *serving.Service:
			if p.labels == nil {
				p.labels = map[string]string{}
			}
			p.labels["serving.knative.dev/service"] = v.Name
		case *batch.CronJob:
			p.bound = bound(objects, v.Spec.JobTemplate.Labels)
		}
		list = append(list, p)
	}
	return list
}

func bound(objects []manifest.Object, job map[string]string) bool {
	for _, o := range objects {
		if b, ok := o.Value.(*sources.SinkBinding); ok && b.Spec.Subject.Kind == "Job" && selects(b.Spec.Subject.Selector, job) {
			return true
		}
	}
	return false
}

// environment is what a pod's first container finds, and the secrets it is taken from.
func (p pod) environment(objects []manifest.Object) (env map[string]string, secrets map[string]bool, missing []string) {
	env, secrets = map[string]string{}, map[string]bool{}
	c := p.spec.Containers[0]
	for _, from := range c.EnvFrom {
		switch {
		case from.ConfigMapRef != nil:
			m, ok := find(objects, "v1 ConfigMap", from.ConfigMapRef.Name)
			if !ok {
				missing = append(missing, "config map "+from.ConfigMapRef.Name)
				continue
			}
			maps.Copy(env, m.Value.(*core.ConfigMap).Data)
		case from.SecretRef != nil:
			secrets[from.SecretRef.Name] = true
		}
	}
	for _, e := range c.Env {
		env[e.Name] = e.Value
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			secrets[e.ValueFrom.SecretKeyRef.Name] = true
		}
	}
	for _, v := range p.spec.Volumes {
		if v.Secret != nil {
			secrets[v.Secret.SecretName] = true
		}
		if v.ConfigMap != nil {
			if _, ok := find(objects, "v1 ConfigMap", v.ConfigMap.Name); !ok {
				missing = append(missing, "config map "+v.ConfigMap.Name)
			}
		}
	}
	if p.bound {
		env["K_SINK"] = "bound"
	}
	return env, secrets, missing
}

func find(objects []manifest.Object, kind, name string) (manifest.Object, bool) {
	for _, o := range objects {
		if o.Version+" "+o.Kind == kind && o.Name == name {
			return o, true
		}
	}
	return manifest.Object{}, false
}

// selects reports whether the selector takes the labels.
func selects(s *meta.LabelSelector, labels map[string]string) bool {
	selector, err := meta.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(set(labels))
}

// set is labels as apimachinery wants them.
type set map[string]string

func (s set) Has(k string) bool              { _, ok := s[k]; return ok }
func (s set) Get(k string) string            { return s[k] }
func (s set) Lookup(k string) (string, bool) { v, ok := s[k]; return v, ok }
