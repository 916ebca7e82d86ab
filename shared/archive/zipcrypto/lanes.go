package zipcrypto

import "hash/crc32"

// Job is one member's data to decrypt. DecryptAll consumes it.
type Job struct {
	Cipher   Cipher
	Dst, Src []byte
}

const width = 4

// DecryptAll decrypts every job. Each byte of a stream needs the one before it, so one stream leaves most of the
// processor idle: four run side by side, and as one ends the next job takes its place.
func DecryptAll(jobs []Job) {
	for len(jobs) > width-1 {
		lanes := (*[width]Job)(jobs)
		n := lockstep(lanes)
		for i := range lanes {
			lanes[i].Dst, lanes[i].Src = lanes[i].Dst[n:], lanes[i].Src[n:]
		}
		// Jobs that are done leave at the front.
		done := 0
		for i := range lanes {
			if len(lanes[i].Src) == 0 {
				lanes[i] = lanes[done]
				done++
			}
		}
		jobs = jobs[done:]
	}
	for i := range jobs {
		jobs[i].Cipher.Decrypt(jobs[i].Dst, jobs[i].Src)
	}
}

// lockstep decrypts as much of each job as the shortest has, and returns how much that was.
func lockstep(j *[width]Job) int {
	n := min(len(j[0].Src), len(j[1].Src), len(j[2].Src), len(j[3].Src))
	t := (*[256]uint32)(crc32.IEEETable)
	a0, a1, a2 := j[0].Cipher.k0, j[0].Cipher.k1, j[0].Cipher.k2
	b0, b1, b2 := j[1].Cipher.k0, j[1].Cipher.k1, j[1].Cipher.k2
	c0, c1, c2 := j[2].Cipher.k0, j[2].Cipher.k1, j[2].Cipher.k2
	d0, d1, d2 := j[3].Cipher.k0, j[3].Cipher.k1, j[3].Cipher.k2
	sa, sb, sc, sd := j[0].Src[:n], j[1].Src[:n], j[2].Src[:n], j[3].Src[:n]
	da, db, dc, dd := j[0].Dst[:n], j[1].Dst[:n], j[2].Dst[:n], j[3].Dst[:n]
	for i := range n {
		x := a2 | 2
		p := sa[i] ^ byte(x*(x^1)>>8)
		da[i] = p
		a0 = t[byte(a0)^p] ^ a0>>8
		a1 = (a1+a0&0xff)*134775813 + 1
		a2 = t[byte(a2)^byte(a1>>24)] ^ a2>>8
		x = b2 | 2
		p = sb[i] ^ byte(x*(x^1)>>8)
		db[i] = p
		b0 = t[byte(b0)^p] ^ b0>>8
		b1 = (b1+b0&0xff)*134775813 + 1
		b2 = t[byte(b2)^byte(b1>>24)] ^ b2>>8
		x = c2 | 2
		p = sc[i] ^ byte(x*(x^1)>>8)
		dc[i] = p
		c0 = t[byte(c0)^p] ^ c0>>8
		c1 = (c1+c0&0xff)*134775813 + 1
		c2 = t[byte(c2)^byte(c1>>24)] ^ c2>>8
		x = d2 | 2
		p = sd[i] ^ byte(x*(x^1)>>8)
		dd[i] = p
		d0 = t[byte(d0)^p] ^ d0>>8
		d1 = (d1+d0&0xff)*134775813 + 1
		d2 = t[byte(d2)^byte(d1>>24)] ^ d2>>8
	}
	j[0].Cipher, j[1].Cipher = Cipher{a0, a1, a2}, Cipher{b0, b1, b2}
	j[2].Cipher, j[3].Cipher = Cipher{c0, c1, c2}, Cipher{d0, d1, d2}
	return n
}
