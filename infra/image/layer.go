package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file is a file of the image, or a folder if its name ends in a slash. Mode 0: 0644 and 0755.
type file struct {
	name string
	mode int64
	data []byte
}

// layer packs files, all of root and of the year 1970.
func layer(files []file) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX, Typeflag: tar.TypeReg}
		folder := strings.HasSuffix(f.name, "/")
		if folder {
			h.Typeflag = tar.TypeDir
		}
		switch {
		case h.Mode == 0 && folder:
			h.Mode = 0o755
		case h.Mode == 0:
			h.Mode = 0o644
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// certificates are Mozilla's authorities as a Go module carries them, so that the build machine's own do not matter.
// Those that are trusted under a condition only are left out: a file cannot say the condition.
func certificates() ([]byte, error) {
	var b bytes.Buffer
	for r := range bundle.Roots() {
		if r.Constraint != nil {
			continue
		}
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// metadata reads what the functions read of a folder of metadata: its YAML and CSV files.
func metadata(dir string) ([]file, error) {
	files := []file{{name: "metadata/"}}
	n := 0
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch ext := path.Ext(name); {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			files = append(files, file{name: path.Join("metadata", name) + "/"})
		case d.Type().IsRegular() && (ext == ".yaml" || ext == ".csv"):
			data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				return err
			}
			n++
			files = append(files, file{name: path.Join("metadata", name), data: data})
		}
		return nil
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("the folder of metadata has no YAML file")
	}
	return files, err
}
