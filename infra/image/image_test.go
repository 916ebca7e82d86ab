package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// hello is a small program outside of any repository, so that commits beside the test do not change it.
func hello(t *testing.T) source {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/hello")); err != nil {
		t.Fatal(err)
	}
	return source{root: dir, pkg: "."}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestSameSourceSameDigest(t *testing.T) {
	t.Parallel()
	var digests []v1.Hash
	for _, s := range []source{hello(t), hello(t)} { // in two folders
		s.metadata = "../../metadata"
		b := must[built](t)(build(t.Context(), s, t.TempDir(), arches...))
		digests = append(digests, must[v1.Hash](t)(b.index.Digest()))
	}
	if digests[0] != digests[1] {
		t.Errorf("got %s and %s", digests[0], digests[1])
	}
}

func TestPulledImageIsWhole(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	s := hello(t)
	s.metadata, s.role = "../../metadata", "commit"
	b := must[built](t)(build(t.Context(), s, t.TempDir(), arches...))
	pinned := must[string](t)(b.push(t.Context(), strings.TrimPrefix(server.URL, "http://")+"/medlake/functions:1"))
	ref := must[name.Digest](t)(name.NewDigest(pinned))

	index := must[v1.ImageIndex](t)(remote.Index(ref))
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	for _, arch := range arches {
		image := must[v1.Image](t)(remote.Image(ref, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch})))
		c := must[*v1.ConfigFile](t)(image.ConfigFile())
		if c.Architecture != arch || c.Config.User != "65532:65532" || !slices.Equal(c.Config.Entrypoint, []string{"/functions"}) ||
			!slices.Equal(c.Config.Cmd, []string{"commit"}) || !slices.Contains(c.Config.Env, "MEDLAKE_METADATA=/metadata") {
			t.Errorf("%s: %+v", arch, c.Config)
		}
		files := contents(t, image)
		for name, mode := range map[string]int64{"functions": 0o755, "tmp/": 0o1777, "etc/ssl/certs/ca-certificates.crt": 0o644, "metadata/feeds/visits_csv.yaml": 0o644} {
			if f, ok := files[name]; !ok || f.mode != mode {
				t.Errorf("%s: %s: there %v, mode %o", arch, name, ok, f.mode)
			}
		}
		for name := range files {
			if strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".md") {
				t.Errorf("%s: holds %s", arch, name)
			}
		}
		if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(files["etc/ssl/certs/ca-certificates.crt"].data) {
			t.Errorf("%s: no certificate authorities", arch)
		}
		digest := must[v1.Hash](t)(image.Digest())
		referrers := must[v1.ImageIndex](t)(remote.Referrers(ref.Context().Digest(digest.String())))
		if m := must[*v1.IndexManifest](t)(referrers.IndexManifest()); len(m.Manifests) != 1 {
			t.Errorf("%s: %d SBOMs beside it", arch, len(m.Manifests))
		}
	}
}

func contents(t *testing.T, image v1.Image) map[string]file {
	t.Helper()
	rc := mutate.Extract(image)
	defer rc.Close()
	files := map[string]file{}
	for r := tar.NewReader(rc); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		f := file{name: h.Name, mode: h.Mode, data: must[[]byte](t)(io.ReadAll(r))}
		if h.Typeflag == tar.TypeDir {
			f.name = strings.TrimSuffix(h.Name, "/") + "/"
		}
		files[f.name] = f
	}
}

// TestFolder builds the real functions of this repository.
func TestFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the functions twice")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--out", dir}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	index := must[v1.ImageIndex](t)(layout.ImageIndexFromPath(filepath.Join(dir, "layout")))
	if got := must[v1.Hash](t)(index.Digest()); got.String() != strings.TrimSpace(out.String()) {
		t.Errorf("told %s, wrote %s", out.String(), got)
	}
	for _, arch := range arches {
		var b bom
		if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(filepath.Join(dir, "sbom-"+arch+".cdx.json"))), &b); err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, c := range b.Components {
			names[c.Name] = true
		}
		if b.Metadata.Component.Name != "medlake" || !names["stdlib"] || !names["github.com/apache/iceberg-go"] || !names["ca-certificates.crt"] {
			t.Errorf("%s: lists %d components of %q", arch, len(names), b.Metadata.Component.Name)
		}
	}
}

func TestItMustBeSaidWhereTo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--metadata", "../../metadata"}, {"--out", "x", "more"}, {"--nothing"}} {
		if err := run(context.Background(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
