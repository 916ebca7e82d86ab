package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// source is what an image is made of.
type source struct {
	root, pkg string // module and its main package
	metadata  string // folder; empty: none
	role      string // default argument; empty: none
}

// user owns nothing in the image and is no user of the node.
const user = "65532:65532"

var arches = []string{"amd64", "arm64"}

// built is an index and, for each of its images, what it holds (CycloneDX).
type built struct {
	index v1.ImageIndex
	parts []part
}

type part struct {
	arch  string
	image v1.Image
	sbom  []byte
}

// build compiles into the folder work and puts the images together, one for each architecture.
func build(ctx context.Context, s source, work string, arches ...string) (built, error) {
	roots, err := certificates()
	if err != nil {
		return built{}, err
	}
	layers := [][]file{{
		{name: "tmp/", mode: 0o1777},
		{name: "etc/"},
		{name: "etc/ssl/"},
		{name: "etc/ssl/certs/"},
		{name: "etc/ssl/certs/ca-certificates.crt", data: roots},
	}}
	if s.metadata != "" {
		m, err := metadata(s.metadata)
		if err != nil {
			return built{}, err
		}
		layers = append(layers, m)
	}
	b := built{index: mutate.IndexMediaType(empty.Index, types.OCIImageIndex)}
	for _, arch := range arches {
		program := filepath.Join(work, arch)
		if err := compile(ctx, s, arch, program); err != nil {
			return built{}, err
		}
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return built{}, err
		}
		data, err := os.ReadFile(program)
		if err != nil {
			return built{}, err
		}
		image, err := assemble(s, arch, labels(info), append(layers, []file{{name: "functions", mode: 0o755, data: data}}))
		if err != nil {
			return built{}, err
		}
		sbom, err := materials(info, roots)
		if err != nil {
			return built{}, err
		}
		b.parts = append(b.parts, part{arch, image, sbom})
		b.index = mutate.AppendManifests(b.index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return b, nil
}

// compile builds the program so that only source, architecture and Go's version decide its bytes. Google's storage is asked
// over HTTP: without its gRPC the program is a tenth smaller and starts sooner.
func compile(ctx context.Context, s source, arch, to string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=auto", "-tags=disable_grpc_modules", "-ldflags=-s -w", "-o", to, s.pkg)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build for %s: %w\n%s", arch, err, out)
	}
	return nil
}

// labels says what the image is; its version is the program's own, which logs and metrics tell too.
func labels(info *buildinfo.BuildInfo) map[string]string {
	l := map[string]string{
		"org.opencontainers.image.title":       "medlake functions",
		"org.opencontainers.image.description": "All cloud functions of Medlake in one program; the argument is the role.",
		"org.opencontainers.image.version":     info.Main.Version,
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			l["org.opencontainers.image.revision"] = s.Value
		}
	}
	return l
}

func assemble(s source, arch string, labels map[string]string, layers [][]file) (v1.Image, error) {
	epoch := v1.Time{Time: time.Unix(0, 0).UTC()}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range layers {
		l, err := layer(files)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.Append(image, mutate.Addendum{
			Layer: l, MediaType: types.OCILayer, History: v1.History{Created: epoch, CreatedBy: "infra/image"},
		}); err != nil {
			return nil, err
		}
	}
	c, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Created = "linux", arch, epoch
	c.Config = v1.Config{
		Entrypoint: []string{"/functions"}, User: user, WorkingDir: "/", Env: []string{"PATH=/"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}}, Labels: labels,
	}
	if s.metadata != "" {
		c.Config.Env = append(c.Config.Env, "MEDLAKE_METADATA=/metadata")
	}
	if s.role != "" {
		c.Config.Cmd = []string{s.role}
	}
	return mutate.ConfigFile(image, c)
}
