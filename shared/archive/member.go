package archive

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"medlake/shared/archive/inflate"
	"medlake/shared/archive/winzip"
	"medlake/shared/archive/zip"
	"medlake/shared/archive/zipcrypto"
)

// spillFrom is the size from which a member's plain bytes are mapped from a temporary file instead of taken from the heap.
const spillFrom = 64 << 20

// Member is a file in an archive.
type Member struct {
	Entry int      // its number: all entries count, in directory order, those of an archive inside right after it
	Size  int64    // plain bytes
	Sum   [32]byte // SHA-256 of the plain bytes

	archive *Archive
	name    []byte
	held    []byte  // the plain bytes, if they are in memory for the archive's life
	recipe  *recipe // how to make them again, if not
	again   *[]byte // made again, in memory
	spilled []byte  // made again, mapped
}

// Name is what the archive calls the member: a label with forward slashes, never a path, and protected health information
// like all names: do not log it. A gzip without a name has none.
func (m *Member) Name() string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(m.name), "\uFFFD"), `\`, "/")
}

// NameIn is Name, or for a gzip without one the last part of the upload's name without .gz.
func (m *Member) NameIn(upload string) string {
	if len(m.name) > 0 {
		return m.Name()
	}
	base := path.Base(upload)
	if ext := path.Ext(base); strings.EqualFold(ext, ".gz") {
		return strings.TrimSuffix(base, ext)
	}
	return base
}

// Bytes are the whole plain bytes, valid until Release or Close. Nobody may write to them.
func (m *Member) Bytes() ([]byte, error) {
	switch {
	case m.archive.closed:
		return nil, errClosed
	case m.recipe == nil:
		return m.held, nil
	case m.again != nil:
		return (*m.again)[:m.Size:m.Size], nil
	case m.spilled != nil:
		return m.spilled, nil
	case m.Size > spillFrom:
		r, err := m.Reader()
		if err != nil {
			return nil, err
		}
		m.spilled, err = spill(r, int(m.Size))
		if err != nil {
			return nil, fmt.Errorf("spill entry %d: %w", m.Entry, err)
		}
		return m.spilled, r.Close()
	}
	r, err := m.Reader()
	if err != nil {
		return nil, err
	}
	b := getBuffer(&buffers, int(m.Size))
	if _, err := io.ReadFull(r, *b); err != nil {
		return nil, fmt.Errorf("inflate entry %d again: %w", m.Entry, err)
	}
	m.again = b
	return *b, r.Close()
}

// Release gives back what Bytes made again. A caller that goes through a large archive member by member and releases each
// needs the memory of one; others may leave it to Close.
func (m *Member) Release() error {
	if m.again != nil {
		putBuffer(&buffers, m.again)
		m.again = nil
	}
	if m.spilled == nil {
		return nil
	}
	b := m.spilled
	m.spilled = nil
	return unspill(b)
}

// Reader streams the plain bytes. It must be closed, and not be used after the archive is.
func (m *Member) Reader() (io.ReadCloser, error) {
	if m.archive.closed {
		return nil, errClosed
	}
	if m.recipe == nil {
		return &keeping{archive: m.archive, rest: m.held}, nil
	}
	return m.recipe.reader()
}

// keeping reads a member that is in memory, which belongs to another archive once this one is closed.
type keeping struct {
	archive *Archive
	rest    []byte
}

func (r *keeping) Read(p []byte) (int, error) {
	switch {
	case r.archive.closed:
		return 0, errClosed
	case len(r.rest) == 0:
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *keeping) Close() error { return nil }

// recipe says how plain bytes are made from an archive's.
type recipe struct {
	method method
	body   []byte
	cipher zip.Cipher
	start  zipcrypto.Cipher // before the body
	sealed winzip.Sealed
	key    []byte // derived; belongs to the recipe only if own was called
}

type method uint8

const (
	stored method = iota
	deflated
	gzipped
)

// own makes a recipe that outlives the opening of its archive.
func (r recipe) own() *recipe {
	r.key = bytes.Clone(r.key)
	return &r
}

// decrypter turns the next bytes of a stream into plain ones, in place or elsewhere.
type decrypter interface{ Decrypt(dst, src []byte) }

func (r *recipe) decrypter() (decrypter, error) {
	if r.cipher == zip.AES {
		return r.sealed.NewStream(r.key)
	}
	c := r.start
	return &c, nil
}

// reader starts at the beginning.
func (r *recipe) reader() (io.ReadCloser, error) {
	if r.method == gzipped {
		return newGunzip(r.body), nil
	}
	src := io.Reader(bytes.NewReader(r.body))
	if r.cipher != zip.Plain {
		d, err := r.decrypter()
		if err != nil {
			return nil, err
		}
		src = &decrypting{body: r.body, d: d}
	}
	if r.method == stored {
		return io.NopCloser(src), nil
	}
	z := readers.Get().(*inflate.Reader)
	if r.cipher == zip.Plain {
		z.Reset(r.body)
	} else {
		z.ResetReader(src)
	}
	return &inflating{z}, nil
}

// decrypting reads a body through a decrypter.
type decrypting struct {
	body []byte
	d    decrypter
}

func (r *decrypting) Read(p []byte) (int, error) {
	if len(r.body) == 0 {
		return 0, io.EOF
	}
	n := min(len(p), len(r.body))
	r.d.Decrypt(p[:n], r.body[:n])
	r.body = r.body[n:]
	return n, nil
}

// inflating gives its decoder back when it is closed.
type inflating struct{ z *inflate.Reader }

func (r *inflating) Read(p []byte) (int, error) {
	if r.z == nil {
		return 0, errClosed
	}
	return r.z.Read(p)
}

func (r *inflating) Close() error {
	if r.z != nil {
		r.z.Reset(nil)
		readers.Put(r.z)
		r.z = nil
	}
	return nil
}
