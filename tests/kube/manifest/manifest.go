// Package manifest builds what kustomize makes of a folder and reads each object as its API server would: no unknown
// field, defaults set, and valid by the words of the type's own authors.
package manifest

import (
	"context"
	"fmt"

	"knative.dev/pkg/apis"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Object is one object of a cluster.
type Object struct {
	Version, Kind, Namespace, Name string // Version with its group: batch/v1
	YAML                           []byte
	Value                          any // of the type that the table kinds names
}

// Build runs kustomize on a folder.
func Build(dir string) ([]Object, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", dir, err)
	}
	var objects []Object
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		o, err := Read(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// Read reads one object that is to be made.
func Read(text []byte) (Object, error) {
	return ReadIn(apis.WithinCreate(context.Background()), text)
}

// ReadIn reads one object for what the context says of it: made, or changed from another, and by whom (apis.WithinUpdate,
// apis.WithUserInfo).
func ReadIn(ctx context.Context, text []byte) (Object, error) {
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return Object{}, err
	}
	o := Object{head.APIVersion, head.Kind, head.Metadata.Namespace, head.Metadata.Name, text, nil}
	kind, ok := kinds[o.Version+" "+o.Kind]
	if !ok {
		return Object{}, fmt.Errorf("%s: no such kind as %s %s", o.Name, o.Version, o.Kind)
	}
	o.Value = kind.make()
	if err := yaml.UnmarshalStrict(text, o.Value); err != nil {
		return Object{}, fmt.Errorf("%s %s: %w", o.Kind, o.Name, err)
	}
	if d, ok := o.Value.(apis.Defaultable); ok {
		d.SetDefaults(ctx)
	}
	if v, ok := o.Value.(apis.Validatable); ok {
		if err := v.Validate(ctx); err != nil {
			return Object{}, fmt.Errorf("%s %s: %w", o.Kind, o.Name, err)
		}
	}
	return o, nil
}

// Path is where the API server keeps the object.
func (o Object) Path() string {
	root := "/apis/" + o.Version
	if o.Version == "v1" {
		root = "/api/v1"
	}
	if o.Namespace != "" {
		root += "/namespaces/" + o.Namespace
	}
	return root + "/" + kinds[o.Version+" "+o.Kind].plural + "/" + o.Name
}
