package manifest

import (
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	serving "knative.dev/serving/pkg/apis/serving/v1"
)

// Template is the pod that the object makes the cluster run; false if it makes none.
func (o Object) Template() (core.PodTemplateSpec, bool) {
	switch v := o.Value.(type) {
	case *serving.Service:
		return core.PodTemplateSpec{ObjectMeta: v.Spec.Template.ObjectMeta, Spec: v.Spec.Template.Spec.PodSpec}, true
	case *batch.CronJob:
		return v.Spec.JobTemplate.Spec.Template, true
	case *apps.Deployment:
		return v.Spec.Template, true
	}
	return core.PodTemplateSpec{}, false
}
