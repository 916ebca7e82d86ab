package inflate

import "io"

const (
	history    = 32 << 10 // how far back a match may reach
	windowSize = history + 128<<10
)

// Reader decodes one stream after another in chunks, with a window of 160 KiB. The zero value must be Reset first. It is
// not safe for concurrent use.
type Reader struct {
	d      Decoder
	window []byte
	to     int    // how much of the window is decoded
	unread []byte // what Read has not given yet
	err    error
}

// Reset starts at the beginning of a stream in src. What follows the stream is ignored; see Rest.
func (r *Reader) Reset(src []byte) { r.start(src, nil) }

// ResetReader starts at the beginning of a stream that src gives.
func (r *Reader) ResetReader(src io.Reader) { r.start(nil, src) }

func (r *Reader) start(src []byte, more io.Reader) {
	if r.window == nil {
		r.window = make([]byte, windowSize)
	}
	r.d.reset(src, more)
	r.to, r.unread, r.err = 0, nil, nil
}

// Next returns the next decoded bytes, valid until the next call, or io.EOF after the last. Do not mix it with Read.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.d.state == done {
		r.err = io.EOF
		return nil, io.EOF
	}
	if r.to > history {
		r.to = copy(r.window, r.window[r.to-history:r.to])
	}
	start := r.to
	r.to, r.err = r.d.decode(r.window, start)
	if r.err == nil && r.to == start && r.d.state == done {
		r.err = io.EOF
	}
	if r.to == start {
		return nil, r.err
	}
	return r.window[start:r.to], nil
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(r.unread) == 0 {
		var err error
		if r.unread, err = r.Next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

// Rest is what follows the stream in the source of Reset, once Next or Read has returned io.EOF.
func (r *Reader) Rest() []byte { return r.d.src[r.d.ip-int(r.d.count>>3):] }
