package inflate

import "encoding/binary"

// headerMost is more than the longest block header in bytes: 17 bits, 19 lengths of 3, 320 lengths of at most 14.
const headerMost = 600

// header reads the beginning of a block.
func (d *Decoder) header() error {
	if err := d.fill(headerMost); err != nil {
		return err
	}
	kind, ok := d.take(3)
	if !ok {
		return ErrTruncated
	}
	d.final = kind&1 != 0
	switch kind >> 1 {
	case 0:
		return d.storedHeader()
	case 1:
		d.fixedCodes()
	case 2:
		d.fixed = false
		if err := d.dynamicCodes(); err != nil {
			return err
		}
	default:
		return ErrCorrupt
	}
	d.state = inCodes
	return nil
}

// take returns the next n bits, at most 16.
func (d *Decoder) take(n uint) (uint64, bool) {
	d.top()
	if d.count < n {
		return 0, false
	}
	v := d.bits & (1<<n - 1)
	d.bits >>= n
	d.count -= n
	return v, true
}

// top fills bits to at least 56, if the source has as many.
func (d *Decoder) top() {
	if d.ip+8 <= len(d.src) {
		d.bits |= binary.LittleEndian.Uint64(d.src[d.ip:]) << d.count
		d.ip += int((63 - d.count) >> 3)
		d.count |= 56
		return
	}
	for d.count <= 56 && d.ip < len(d.src) {
		d.bits |= uint64(d.src[d.ip]) << d.count
		d.ip++
		d.count += 8
	}
}

func (d *Decoder) storedHeader() error {
	d.ip -= int(d.count >> 3) // whole bytes go back; the rest of the current one is skipped
	d.bits, d.count = 0, 0
	if d.ip+4 > len(d.src) {
		return ErrTruncated
	}
	n := binary.LittleEndian.Uint16(d.src[d.ip:])
	if n != ^binary.LittleEndian.Uint16(d.src[d.ip+2:]) {
		return ErrCorrupt
	}
	d.ip += 4
	d.stored, d.state = int(n), inStored
	return nil
}

func (d *Decoder) fixedCodes() {
	if d.fixed {
		return
	}
	for i := range maxLit {
		switch {
		case i < 144:
			d.lens[i] = 8
		case i < 256:
			d.lens[i] = 9
		case i < 280:
			d.lens[i] = 7
		default:
			d.lens[i] = 8
		}
	}
	for i := range maxDist {
		d.lens[maxLit+i] = 5
	}
	d.build(d.lit[:], d.lens[:maxLit], litSymbols[:], litBits)
	d.build(d.dist[:], d.lens[maxLit:], distSymbols[:], distBits)
	d.fixed = true
}

func (d *Decoder) dynamicCodes() error {
	sizes, ok := d.take(14)
	if !ok {
		return ErrTruncated
	}
	lits, dists, pres := int(sizes&31)+257, int(sizes>>5&31)+1, int(sizes>>10)+4
	if lits > 286 || dists > 30 {
		return ErrCorrupt
	}
	var lens [19]uint8
	for _, i := range preOrder[:pres] {
		l, ok := d.take(3)
		if !ok {
			return ErrTruncated
		}
		lens[i] = uint8(l)
	}
	if !d.build(d.pre[:], lens[:], preSymbols[:], preBits) {
		return ErrCorrupt
	}
	if err := d.codeLengths(lits + dists); err != nil {
		return err
	}
	if d.lens[endOfBlock] == 0 || !d.build(d.dist[:], d.lens[lits:lits+dists], distSymbols[:], distBits) ||
		!d.build(d.lit[:], d.lens[:lits], litSymbols[:], litBits) {
		return ErrCorrupt
	}
	return nil
}

// codeLengths reads n code lengths, which are themselves coded.
func (d *Decoder) codeLengths(n int) error {
	const longest = preBits + 7 // a code and its extra bits
	for i := 0; i < n; {
		d.top()
		bb, bc := d.bits, d.count
		for {
			e := d.pre[bb&(1<<preBits-1)]
			used := uint(e & 63)
			if bc < used {
				return ErrTruncated
			}
			if e&isExcept != 0 {
				return ErrCorrupt
			}
			value := uint8(e >> 16)
			if value < 16 {
				bb >>= used
				bc -= used
				d.lens[i] = value
				i++
			} else {
				repeat, extra := 3+int(bb>>used&3), uint(2)
				switch value {
				case 16:
					if i == 0 {
						return ErrCorrupt
					}
					value = d.lens[i-1]
				case 17:
					value, repeat, extra = 0, 3+int(bb>>used&7), 3
				default:
					value, repeat, extra = 0, 11+int(bb>>used&127), 7
				}
				if used += extra; bc < used {
					return ErrTruncated
				}
				if i+repeat > n {
					return ErrCorrupt
				}
				bb >>= used
				bc -= used
				for range repeat {
					d.lens[i] = value
					i++
				}
			}
			if i == n || bc < longest {
				break
			}
		}
		d.bits, d.count = bb, bc
	}
	return nil
}
