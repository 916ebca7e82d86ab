// Package zipcrypto opens PKWARE's traditional zip encryption (APPNOTE 6.1), four members in lockstep. The cipher is weak
// and proves nothing: only the CRC of the plain bytes shows that a password was right.
package zipcrypto

import "hash/crc32"

// HeaderSize is how many bytes precede a member's data. The last of them checks the password, by one byte only.
const HeaderSize = 12

// Cipher is the state of a stream. Copy it to start again from the same place.
type Cipher struct{ k0, k1, k2 uint32 }

// New is the state before a member's header.
func New(password string) Cipher {
	c := Cipher{0x12345678, 0x23456789, 0x34567890}
	for i := range len(password) {
		c.update(password[i])
	}
	return c
}

func (c *Cipher) update(b byte) {
	c.k0 = crc32.IEEETable[byte(c.k0)^b] ^ c.k0>>8
	c.k1 = (c.k1+c.k0&0xff)*134775813 + 1
	c.k2 = crc32.IEEETable[byte(c.k2)^byte(c.k1>>24)] ^ c.k2>>8
}

// Header decrypts a member's header and returns its check byte: the highest byte of the CRC, or of the time if the
// member has a data descriptor.
func (c *Cipher) Header(src []byte) byte {
	var plain [HeaderSize]byte
	c.Decrypt(plain[:], src[:HeaderSize])
	return plain[HeaderSize-1]
}

// Decrypt writes the plain bytes of src to dst, which has the same length and may be the same memory.
func (c *Cipher) Decrypt(dst, src []byte) {
	k0, k1, k2 := c.k0, c.k1, c.k2
	dst = dst[:len(src)]
	t := (*[256]uint32)(crc32.IEEETable)
	for i, b := range src {
		x := k2 | 2
		p := b ^ byte(x*(x^1)>>8)
		dst[i] = p
		k0 = t[byte(k0)^p] ^ k0>>8
		k1 = (k1+k0&0xff)*134775813 + 1
		k2 = t[byte(k2)^byte(k1>>24)] ^ k2>>8
	}
	c.k0, c.k1, c.k2 = k0, k1, k2
}
