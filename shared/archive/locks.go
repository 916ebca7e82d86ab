package archive

import (
	"medlake/shared/archive/pbkdf2"
	"medlake/shared/archive/winzip"
	"medlake/shared/archive/zip"
	"medlake/shared/archive/zipcrypto"
)

// password is one made ready for both ciphers.
type password struct {
	zipCrypto zipcrypto.Cipher
	aes       *pbkdf2.Password
}

func prepare(texts []string) []password {
	out := make([]password, len(texts))
	for i, t := range texts {
		out[i] = password{zipCrypto: zipcrypto.New(t), aes: pbkdf2.NewPassword(t)}
	}
	return out
}

// trial is what a password was found to be for an encrypted entry.
type trial struct {
	password int    // the first that passes the cheap check, or -1
	body     []byte // decrypted with it; nil if there is too much of it
	key      []byte // derived with it (AES)
	start    zipcrypto.Cipher
	sealed   winzip.Sealed
}

// order calls try with each password, the last one that opened a member first, until it returns true.
func (o *opener) order(try func(int) bool) bool {
	if len(o.passwords) > 0 && try(o.lead) {
		return true
	}
	for i := range o.passwords {
		if i != o.lead && try(i) {
			return true
		}
	}
	return false
}

// overhead is how many bytes of an encrypted entry are not its body.
func overhead(e *zip.Entry) int {
	if e.Cipher == zip.ZipCrypto {
		return zipcrypto.HeaderSize
	}
	_, _, n := winzip.Sizes(e.KeySize)
	return n
}

func isLocked(e *zip.Entry) bool {
	return !skipped(e) && (e.Cipher == zip.ZipCrypto || e.Cipher == zip.AES)
}

// canOpen reports whether an entry is locked and long enough to be.
func canOpen(e *zip.Entry) bool { return isLocked(e) && len(e.Data) >= overhead(e) }

// unlock decrypts the entries of a group that begins with from, with the first password that passes each entry's cheap
// check, and returns where the next group begins.
func (l *level) unlock(from int) (to int, err error) {
	l.trials = grown(l.trials, len(l.entries))
	total := 0
	for to = from; to < len(l.entries) && to-from < groupCount; to++ {
		e, t := &l.entries[to], &l.trials[to]
		*t = trial{password: -1}
		if !canOpen(e) {
			continue
		}
		n := len(e.Data) - overhead(e)
		if n > groupBytes {
			continue
		}
		if total+n > groupBytes && to > from {
			break
		}
		total += n
	}
	l.clear = sized(l.clear, total)
	room := l.clear
	for i := from; i < to; i++ {
		e, t := &l.entries[i], &l.trials[i]
		if n := len(e.Data) - overhead(e); canOpen(e) && n <= groupBytes {
			t.body, room = room[:n:n], room[n:]
		}
	}
	l.zipCrypto(from, to)
	return to, l.aes(from, to)
}

func grown(b []trial, n int) []trial {
	if cap(b) < n {
		return make([]trial, n)
	}
	return b[:n]
}

// zipCrypto checks headers, then decrypts small bodies side by side.
func (l *level) zipCrypto(from, to int) {
	l.jobs = l.jobs[:0]
	for i := from; i < to; i++ {
		e, t := &l.entries[i], &l.trials[i]
		if !canOpen(e) || e.Cipher != zip.ZipCrypto {
			continue
		}
		l.order(func(p int) bool { return l.fits(e, t, p) })
		if t.password >= 0 && t.body != nil {
			l.jobs = append(l.jobs, zipcrypto.Job{Cipher: t.start, Dst: t.body, Src: e.Data[zipcrypto.HeaderSize:]})
		}
	}
	zipcrypto.DecryptAll(l.jobs)
}

// fits checks a password by the header's last byte: 1 wrong one in 256 passes, or 2 with a data descriptor.
func (l *level) fits(e *zip.Entry, t *trial, p int) bool {
	c := l.passwords[p].zipCrypto
	if b := c.Header(e.Data); b != e.Check[0] && b != e.Check[1] {
		return false
	}
	t.password, t.start = p, c
	return true
}

// aes derives the keys of a group's entries and decrypts small bodies whose code holds.
func (l *level) aes(from, to int) error {
	open := 0 // entries without a key
	size := 0
	for i := from; i < to; i++ {
		e, t := &l.entries[i], &l.trials[i]
		if canOpen(e) && e.Cipher == zip.AES {
			t.sealed = winzip.Split(e.Data, e.KeySize)
			_, n, _ := winzip.Sizes(e.KeySize)
			open, size = open+1, size+n
		}
	}
	if open == 0 {
		return nil
	}
	l.keys = sized(l.keys, size)
	room := l.keys
	for i := from; i < to; i++ {
		if t := &l.trials[i]; t.sealed.Salt != nil {
			_, n, _ := winzip.Sizes(l.entries[i].KeySize)
			t.key, room = room[:n:n], room[n:]
		}
	}
	// One entry finds the password that the rest most likely share.
	for i := from; i < to && !l.opened && len(l.passwords) > 1; i++ {
		if l.trials[i].sealed.Salt == nil {
			continue
		}
		if err := l.deriveKeys(i, i+1); err != nil {
			return err
		}
		if p := l.trials[i].password; p >= 0 {
			l.lead = p
		}
		break
	}
	return l.deriveKeys(from, to)
}

// deriveKeys finds a password for every entry that has none yet.
func (l *level) deriveKeys(from, to int) (err error) {
	l.order(func(p int) bool {
		l.derive = l.derive[:0]
		for i := from; i < to; i++ {
			if t := &l.trials[i]; t.sealed.Salt != nil && t.password < 0 {
				l.derive = append(l.derive, pbkdf2.Job{Password: l.passwords[p].aes, Salt: t.sealed.Salt, Key: t.key})
			}
		}
		if len(l.derive) == 0 {
			return true
		}
		if err = l.deriver.Derive(l.derive); err != nil {
			return true
		}
		for i := from; i < to; i++ {
			if t := &l.trials[i]; t.sealed.Salt != nil && t.password < 0 && t.sealed.Fits(t.key) {
				t.password = p
			}
		}
		return false
	})
	return err
}
