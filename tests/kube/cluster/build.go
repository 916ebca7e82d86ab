package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is a server that is built from its module.
type program struct {
	name, version string
	module, pkg   string
	staging       []string // modules of its repository, of the version v0.MINOR.PATCH
	ldflags       string
}

const kubernetes = "1.36.3"

var etcd = program{name: "etcd", version: "v3.6.8", module: "go.etcd.io/etcd/server/v3", pkg: "go.etcd.io/etcd/server/v3", ldflags: "-s -w"}

var apiserver = program{
	name: "kube-apiserver", version: "v" + kubernetes, module: "k8s.io/kubernetes", pkg: "k8s.io/kubernetes/cmd/kube-apiserver",
	staging: strings.Fields(`api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap
		code-generator component-base component-helpers controller-manager cri-api cri-client cri-streaming csi-translation-lib
		dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler
		kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver streaming`),
	ldflags: "-s -w -X k8s.io/component-base/version.gitVersion=v" + kubernetes +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36",
}

func (p program) path(cache string) string { return filepath.Join(cache, p.name+"@"+p.version) }

// build builds the program into the cache unless it is there: etcd in a minute, the API server in six, of processor time.
func (p program) build(ctx context.Context, cache string) (made bool, err error) {
	if _, err := os.Stat(p.path(cache)); err == nil {
		return false, nil
	}
	dir, err := os.MkdirTemp("", "medlake-kube-build-*")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	var mod strings.Builder
	fmt.Fprintf(&mod, "module build\n\ngo 1.26.0\n\nrequire %s %s\n", p.module, p.version)
	for _, m := range p.staging {
		fmt.Fprintf(&mod, "replace k8s.io/%[1]s => k8s.io/%[1]s v0%[2]s\n", m, strings.TrimPrefix(p.version, "v1"))
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod.String()), 0o600); err != nil {
		return false, err
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return false, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags="+p.ldflags, "-o", p.path(cache), p.pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return false, fmt.Errorf("build %s: %w\n%s", p.name, err, out)
	}
	return true, nil
}
