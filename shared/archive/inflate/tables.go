package inflate

import "math/bits"

// A table entry is
//
//	bits 16..31  the literal, the base of a length or distance, or where a second table begins
//	bit 15       exceptional: no code, end of block, or a second table; bits 14 and 13 say which
//	bits 8..12   the length of the code, without its extra bits (of a second table: how many bits it looks at)
//	bits 0..5    the bits to drop: code and extra bits
//
// and bit 31 alone marks a literal.
const (
	isLiteral = 1 << 31
	isExcept  = 1 << 15
	isSecond  = 1 << 14
	isEnd     = 1 << 13
)

// Sizes. litSize and distSize are more than the largest complete code needs (zlib's enough: 1,334 for 286 symbols, first table
// of 10 bits; 400 for 30 symbols, 8 bits), build checks them anyway.
const (
	litBits, litSize   = 10, 3 << 10
	distBits, distSize = 8, 1 << 10
	preBits            = 7
	maxLit, maxDist    = 288, 32
	maxLen             = 15 // bits of a code
	endOfBlock         = 256
)

// What a symbol stands for, without the length of its code.
var (
	litSymbols  = literalSymbols()
	distSymbols = distanceSymbols()
	preSymbols  = precodeSymbols()
	// preOrder is the order in which code lengths of the precode are sent.
	preOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

func literalSymbols() (t [maxLit]uint32) {
	for i := range 256 {
		t[i] = isLiteral | uint32(i)<<16
	}
	t[endOfBlock] = isExcept | isEnd
	base, extra := uint32(3), uint32(0)
	for i := 257; i < 285; i++ {
		if i >= 265 && (i-265)%4 == 0 {
			extra++
		}
		t[i] = base<<16 | extra
		base += 1 << extra
	}
	t[285] = 258 << 16
	t[286], t[287] = isExcept, isExcept
	return t
}

func distanceSymbols() (t [maxDist]uint32) {
	base, extra := uint32(1), uint32(0)
	for i := range 30 {
		if i >= 4 && i%2 == 0 {
			extra++
		}
		t[i] = base<<16 | extra
		base += 1 << extra
	}
	t[30], t[31] = isExcept, isExcept
	return t
}

func precodeSymbols() (t [19]uint32) {
	for i := range t {
		t[i] = uint32(i) << 16
	}
	return t
}

// entry adds a code's length to its symbol.
func entry(symbol uint32, length uint) uint32 { return symbol + uint32(length)<<8 + uint32(length) }

// build makes the decoding table of a canonical code. It reports whether the code is allowed: complete, or without any
// symbol, or a single symbol of one bit.
func (d *Decoder) build(table []uint32, lens []uint8, symbols []uint32, tableBits uint) bool {
	var counts, offsets [maxLen + 2]int
	for _, l := range lens {
		counts[l]++
	}
	counts[0] = 0
	longest := uint(maxLen)
	for longest > 0 && counts[longest] == 0 {
		longest--
	}
	space := 0
	for l := 1; l <= maxLen; l++ {
		space = space<<1 + counts[l]
		offsets[l+1] = offsets[l] + counts[l]
	}
	if space > 1<<maxLen {
		return false
	}
	for s, l := range lens {
		if l != 0 {
			d.sorted[offsets[l]] = uint16(s)
			offsets[l]++
		}
	}
	if space < 1<<maxLen {
		return d.buildIncomplete(table[:1<<tableBits], counts[1], longest, symbols)
	}
	return d.buildComplete(table, &counts, symbols, tableBits)
}

func (d *Decoder) buildIncomplete(table []uint32, ones int, longest uint, symbols []uint32) bool {
	if longest > 1 || ones > 1 {
		return false
	}
	for i := range table {
		table[i] = isExcept | 1
	}
	if longest == 1 {
		for i := 0; i < len(table); i += 2 {
			table[i] = entry(symbols[d.sorted[0]], 1)
		}
	}
	return true
}

// buildComplete walks the codes in canonical order, bit-reversed, doubling the first table as codes get longer, then
// hangs second tables under it for codes longer than tableBits.
func (d *Decoder) buildComplete(table []uint32, counts *[maxLen + 2]int, symbols []uint32, tableBits uint) bool {
	si, l, code := 0, uint(1), uint(0)
	for counts[l] == 0 {
		l++
	}
	if l <= tableBits {
		end := uint(1) << l
		for l <= tableBits {
			for range counts[l] {
				table[code] = entry(symbols[d.sorted[si]], l)
				si++
				if code == end-1 { // the last code: all ones
					for ; end < 1<<tableBits; end <<= 1 {
						copy(table[end:2*end], table[:end])
					}
					return true
				}
				code = next(code, end)
			}
			for {
				if l++; l <= tableBits {
					copy(table[end:2*end], table[:end])
					end <<= 1
				}
				if counts[l] != 0 {
					break
				}
			}
		}
	}
	prefix, start, end, left := ^uint(0), uint(0), uint(1)<<tableBits, counts[l]
	for {
		if p := code & (1<<tableBits - 1); p != prefix {
			prefix, start = p, end
			n := l - tableBits
			for used := left; used < 1<<n; {
				n++
				used = used<<1 + counts[tableBits+n]
			}
			if end = start + 1<<n; end > uint(len(table)) {
				return false
			}
			table[prefix] = uint32(start)<<16 | isExcept | isSecond | uint32(n)<<8 | uint32(tableBits)
		}
		e := entry(symbols[d.sorted[si]], l-tableBits)
		si++
		for i := start + code>>tableBits; i < end; i += 1 << (l - tableBits) {
			table[i] = e
		}
		if code == 1<<l-1 {
			return true
		}
		code = next(code, 1<<l)
		for left--; left == 0; left = counts[l] {
			l++
		}
	}
}

// next is the code after this one, both bit-reversed, of a length of which end is one more than the last.
func next(code, end uint) uint {
	b := uint(1) << (bits.Len(code^(end-1)) - 1)
	return code&(b-1) | b
}
