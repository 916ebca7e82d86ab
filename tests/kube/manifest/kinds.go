package manifest

import (
	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	eventing "knative.dev/eventing/pkg/apis/eventing/v1"
	sources "knative.dev/eventing/pkg/apis/sources/v1"
	serving "knative.dev/serving/pkg/apis/serving/v1"
)

type kind struct {
	plural string
	make   func() any
}

// kinds are the objects that our manifests may hold.
var kinds = map[string]kind{
	"v1 Namespace":                       {"namespaces", func() any { return &core.Namespace{} }},
	"v1 ServiceAccount":                  {"serviceaccounts", func() any { return &core.ServiceAccount{} }},
	"v1 ConfigMap":                       {"configmaps", func() any { return &core.ConfigMap{} }},
	"v1 Service":                         {"services", func() any { return &core.Service{} }},
	"apps/v1 Deployment":                 {"deployments", func() any { return &apps.Deployment{} }},
	"batch/v1 CronJob":                   {"cronjobs", func() any { return &batch.CronJob{} }},
	"networking.k8s.io/v1 NetworkPolicy": {"networkpolicies", func() any { return &networking.NetworkPolicy{} }},
	"policy/v1 PodDisruptionBudget":      {"poddisruptionbudgets", func() any { return &policy.PodDisruptionBudget{} }},
	"admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy":        {"validatingadmissionpolicies", func() any { return &admission.ValidatingAdmissionPolicy{} }},
	"admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding": {"validatingadmissionpolicybindings", func() any { return &admission.ValidatingAdmissionPolicyBinding{} }},
	"serving.knative.dev/v1 Service":                                   {"services", func() any { return &serving.Service{} }},
	"eventing.knative.dev/v1 Broker":                                   {"brokers", func() any { return &eventing.Broker{} }},
	"eventing.knative.dev/v1 Trigger":                                  {"triggers", func() any { return &eventing.Trigger{} }},
	"sources.knative.dev/v1 PingSource":                                {"pingsources", func() any { return &sources.PingSource{} }},
	"sources.knative.dev/v1 SinkBinding":                               {"sinkbindings", func() any { return &sources.SinkBinding{} }},
	"postgresql.cnpg.io/v1 Cluster":                                    {"clusters", func() any { return &postgres{} }},
}
