package inflate

import "encoding/binary"

const (
	fastIn  = 16          // bytes of source one round of the fast loop may look at
	fastOut = 2 + 258 + 8 // bytes it may write: two literals and a match, copied eight bytes at a time
)

// codes decodes symbols of the current block into dst until the block ends or the next symbol does not fit. The fast
// loop needs room on both sides and checks nothing else; near an end, one symbol at a time is decoded with every check.
func (d *Decoder) codes(dst []byte, op int) (int, error) {
	lit, dist := &d.lit, &d.dist
	for {
		if err := d.fill(4 * fastIn); err != nil {
			return op, err
		}
		src, ip, bb, bc := d.src, d.ip, d.bits, d.count
		for ip+fastIn <= len(src) && op+fastOut <= len(dst) {
			bb |= binary.LittleEndian.Uint64(src[ip:]) << (bc & 63)
			ip += int((63 - bc) >> 3)
			bc |= 56
			e := lit[bb&(1<<litBits-1)]
			if e&isLiteral != 0 { // up to three literals of the first table need no more bits
				bb >>= e & 63
				bc -= uint(e & 63)
				dst[op] = byte(e >> 16)
				op++
				e = lit[bb&(1<<litBits-1)]
				if e&isLiteral != 0 {
					bb >>= e & 63
					bc -= uint(e & 63)
					dst[op] = byte(e >> 16)
					op++
					e = lit[bb&(1<<litBits-1)]
					if e&isLiteral != 0 {
						bb >>= e & 63
						bc -= uint(e & 63)
						dst[op] = byte(e >> 16)
						op++
						continue
					}
				}
				bb |= binary.LittleEndian.Uint64(src[ip:]) << (bc & 63)
				ip += int((63 - bc) >> 3)
				bc |= 56
			}
			if e&isExcept != 0 {
				if e&isSecond != 0 {
					bb >>= e & 63
					bc -= uint(e & 63)
					e = lit[(e>>16)+uint32(bb)&(1<<(e>>8&15)-1)]
					if e&isLiteral != 0 {
						bb >>= e & 63
						bc -= uint(e & 63)
						dst[op] = byte(e >> 16)
						op++
						continue
					}
				}
				if e&isExcept != 0 {
					if e&isEnd == 0 {
						return op, ErrCorrupt
					}
					d.ip, d.bits, d.count = ip, bb>>(e&63), bc-uint(e&63)
					d.endBlock()
					return op, nil
				}
			}
			saved := bb
			bb >>= e & 63
			bc -= uint(e & 63)
			length := int(e>>16) + int((saved&(1<<(e&63)-1))>>(e>>8&31))
			// At least 56-15-5 bits are left: enough for a distance of 15 bits and its 13 extra ones.
			e = dist[bb&(1<<distBits-1)]
			if e&isExcept != 0 {
				if e&isSecond == 0 {
					return op, ErrCorrupt
				}
				bb >>= e & 63
				bc -= uint(e & 63)
				if e = dist[(e>>16)+uint32(bb)&(1<<(e>>8&15)-1)]; e&isExcept != 0 {
					return op, ErrCorrupt
				}
			}
			saved = bb
			bb >>= e & 63
			bc -= uint(e & 63)
			from := op - int(e>>16) - int((saved&(1<<(e&63)-1))>>(e>>8&31))
			if from < 0 {
				return op, ErrCorrupt
			}
			end := op + length
			if op-from >= 8 {
				for op < end {
					binary.LittleEndian.PutUint64(dst[op:], binary.LittleEndian.Uint64(dst[from:]))
					op += 8
					from += 8
				}
			} else {
				for ; op < end; op++ {
					dst[op] = dst[from]
					from++
				}
			}
			op = end
		}
		d.ip, d.bits, d.count = ip, bb, bc
		next, err := d.oneCode(dst, op)
		if err != nil || d.state != inCodes || next == op {
			return next, err
		}
		op = next
	}
}

// oneCode decodes one symbol with every check. If it does not fit into dst, it leaves the position as it was and returns op.
func (d *Decoder) oneCode(dst []byte, op int) (int, error) {
	d.top()
	ip, bb, bc := d.ip, d.bits, d.count
	e, err := d.lookup(d.lit[:], litBits)
	if err != nil {
		return op, err
	}
	if e&isLiteral != 0 {
		if op == len(dst) {
			d.ip, d.bits, d.count = ip, bb, bc
			return op, nil
		}
		d.drop(e)
		dst[op] = byte(e >> 16)
		return op + 1, nil
	}
	if e&isExcept != 0 {
		if e&isEnd == 0 {
			return op, ErrCorrupt
		}
		d.drop(e)
		d.endBlock()
		return op, nil
	}
	length := d.drop(e)
	d.top()
	if e, err = d.lookup(d.dist[:], distBits); err != nil {
		return op, err
	}
	if e&isExcept != 0 {
		return op, ErrCorrupt
	}
	distance := d.drop(e)
	if distance > op {
		return op, ErrCorrupt
	}
	if op+length > len(dst) {
		d.ip, d.bits, d.count = ip, bb, bc
		return op, nil
	}
	for range length {
		dst[op] = dst[op-distance]
		op++
	}
	return op, nil
}

// lookup finds the entry of the next code, in the first or a second table. The bits of that entry are there but not yet dropped.
func (d *Decoder) lookup(table []uint32, tableBits uint) (uint32, error) {
	e := table[d.bits&(1<<tableBits-1)]
	if e&isExcept != 0 && e&isSecond != 0 {
		if d.count < uint(e&63) {
			return 0, ErrTruncated
		}
		d.bits >>= e & 63
		d.count -= uint(e & 63)
		e = table[(e>>16)+uint32(d.bits)&(1<<(e>>8&15)-1)]
	}
	if d.count < uint(e&63) {
		return 0, ErrTruncated
	}
	return e, nil
}

// drop takes the bits of an entry and returns its base plus extra bits.
func (d *Decoder) drop(e uint32) int {
	saved := d.bits
	d.bits >>= e & 63
	d.count -= uint(e & 63)
	return int(e>>16) + int((saved&(1<<(e&63)-1))>>(e>>8&31))
}
