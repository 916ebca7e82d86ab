package csv

// SetBuffer makes the decoder begin with a window of n bytes, so that records cross its end.
func (d *Decoder) SetBuffer(n int) { d.buf = make([]byte, n) }
