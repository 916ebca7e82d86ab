package archive

import (
	"sync"

	"medlake/shared/archive/inflate"
	"medlake/shared/archive/pbkdf2"
	"medlake/shared/archive/winzip"
	"medlake/shared/archive/zip"
	"medlake/shared/archive/zipcrypto"
)

// workspace is the scratch memory of one level while it is opened.
type workspace struct {
	decoder inflate.Decoder
	scratch []byte // plain bytes of a member that is not kept
	entries []zip.Entry
	trials  []trial
	clear   []byte // decrypted bytes of a group
	keys    []byte
	jobs    []zipcrypto.Job
	derive  []pbkdf2.Job
	deriver pbkdf2.Deriver
	prover  winzip.Prover
}

var (
	workspaces = sync.Pool{New: func() any { return new(workspace) }}
	readers    = sync.Pool{New: func() any { return new(inflate.Reader) }}
	arenas     sync.Pool // of *[]byte: members kept
	buffers    sync.Pool // of *[]byte: members made again
)

// release gives w back without what belongs to the archive.
func (w *workspace) release() {
	clear(w.entries)
	clear(w.trials[:cap(w.trials)])
	clear(w.jobs[:cap(w.jobs)])
	clear(w.derive[:cap(w.derive)])
	clear(w.keys[:cap(w.keys)])
	if cap(w.entries) > 10_000 {
		w.entries, w.trials = nil, nil
	}
	workspaces.Put(w)
}

// sized returns b with n bytes, and reallocates it only to grow.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/8)
	}
	return b[:n]
}

// getBuffer returns n bytes, used before if there are any.
func getBuffer(pool *sync.Pool, n int) *[]byte {
	if b, ok := pool.Get().(*[]byte); ok && cap(*b) >= n {
		*b = (*b)[:n]
		return b
	}
	b := make([]byte, n, (n+1<<16)&^(1<<16-1))
	return &b
}

// putBuffer keeps a buffer for the next archive, unless it is so large that keeping it would be waste.
func putBuffer(pool *sync.Pool, b *[]byte) {
	if cap(*b) <= 20<<20 {
		pool.Put(b)
	}
}
