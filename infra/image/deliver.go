package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const cycloneDX = types.MediaType("application/vnd.cyclonedx+json")

// write makes the folder dir with the OCI layout and sbom-ARCH.cdx.json.
func (b built) write(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if _, err := layout.Write(filepath.Join(dir, "layout"), b.index); err != nil {
		return err
	}
	for _, p := range b.parts {
		if err := os.WriteFile(filepath.Join(dir, "sbom-"+p.arch+".cdx.json"), p.sbom, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// push puts the index under ref, and each image's SBOM beside it as what refers to that image. It returns the reference
// by digest, which is what manifests name.
func (b built) push(ctx context.Context, ref string) (string, error) {
	tag, err := name.ParseReference(ref)
	if err != nil {
		return "", err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if err := remote.WriteIndex(tag, b.index, options...); err != nil {
		return "", fmt.Errorf("push: %w", err)
	}
	for _, p := range b.parts {
		s, err := referrer(p)
		if err != nil {
			return "", err
		}
		digest, err := s.Digest()
		if err != nil {
			return "", err
		}
		if err := remote.Write(tag.Context().Digest(digest.String()), s, options...); err != nil {
			return "", fmt.Errorf("push the SBOM of %s: %w", p.arch, err)
		}
	}
	digest, err := b.index.Digest()
	if err != nil {
		return "", err
	}
	return tag.Context().Digest(digest.String()).String(), nil
}

// referrer is an SBOM as an artifact of a registry.
func referrer(p part) (v1.Image, error) {
	subject, err := partial.Descriptor(p.image)
	if err != nil {
		return nil, err
	}
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), cycloneDX)
	if artifact, err = mutate.Append(artifact, mutate.Addendum{Layer: static.NewLayer(p.sbom, cycloneDX), MediaType: cycloneDX}); err != nil {
		return nil, err
	}
	return mutate.Subject(artifact, *subject).(v1.Image), nil
}
