package charset

import "io"

// Reader gives the text of a stream as UTF-8, without its byte order mark. All it gives is valid. Its Read returns
// ErrUndecodable after the last good character before a fault. It is reusable through Reset.
type Reader struct {
	src  io.Reader
	cs   Charset
	raw  []byte // read from src, not yet decoded
	out  []byte // decoded, not yet given out; not used for UTF-8
	give int    // how much of out is given out
	mark bool   // the byte order mark has been looked for
	err  error  // of src; io.EOF included
}

const chunk = 64 << 10

// Reset starts reading src, which is text of cs unless a byte order mark says otherwise.
func (r *Reader) Reset(src io.Reader, cs Charset) {
	*r = Reader{src: src, cs: cs, raw: r.raw[:0], out: r.out[:0]}
}

// Read fills p, which must have room for at least 16 bytes.
func (r *Reader) Read(p []byte) (int, error) {
	if !r.mark {
		for len(r.raw) < 3 && r.err == nil {
			r.fill(3)
		}
		if cs, n := BOM(r.raw); n > 0 {
			r.cs, r.raw = cs, r.raw[:copy(r.raw, r.raw[n:])]
		}
		r.mark = true
	}
	if r.cs.UTF8() {
		return r.plain(p)
	}
	for r.give == len(r.out) {
		if len(r.raw) == 0 && r.err != nil {
			return 0, r.err
		}
		if r.err == nil {
			r.fill(chunk)
		}
		var n int
		var err error
		r.out, n, err = r.cs.Append(r.out[:0], r.raw, r.err == io.EOF)
		r.give = 0
		r.raw = r.raw[:copy(r.raw, r.raw[n:])]
		if err != nil {
			r.raw, r.err = r.raw[:0], err
		}
		if n == 0 && r.err != nil && r.err != io.EOF {
			return 0, r.err
		}
	}
	n := copy(p, r.out[r.give:])
	r.give += n
	return n, nil
}

// plain is Read for UTF-8: it reads straight into p and keeps back a cut last character.
func (r *Reader) plain(p []byte) (int, error) {
	n := copy(p, r.raw)
	r.raw = r.raw[:copy(r.raw, r.raw[n:])]
	for {
		if r.err == nil && n < len(p) {
			var k int
			k, r.err = r.src.Read(p[n:])
			n += k
		}
		good, bad := Valid(p[:n])
		if bad || r.err == io.EOF && good < n && len(r.raw) == 0 {
			r.err, r.raw = ErrUndecodable, r.raw[:0]
			return good, errIf(good == 0, r.err)
		}
		if good > 0 || r.err != nil {
			r.raw = append(r.raw, p[good:n]...)
			return good, errIf(good == 0, r.err)
		}
	}
}

func errIf(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

// fill reads up to n more bytes into raw.
func (r *Reader) fill(n int) {
	have := len(r.raw)
	if cap(r.raw) < have+n {
		r.raw = append(make([]byte, 0, have+max(n, chunk)), r.raw...)
	}
	k, err := r.src.Read(r.raw[have : have+n])
	r.raw, r.err = r.raw[:have+k], err
}
