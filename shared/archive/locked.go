package archive

import (
	"bytes"

	"medlake/shared/archive/pbkdf2"
	"medlake/shared/archive/zip"
	"medlake/shared/archive/zipcrypto"
	"medlake/shared/lake"
)

// locked proves an encrypted entry and takes it in. The cheap check of a password is no proof: if what it gives does not
// hold, the other passwords get their turn.
//
// An entry that no password opens is corrupt if another one opens, and else the password is wrong. What tells them apart
// at once is an entry that was evidently decrypted and is damaged all the same.
func (l *level) locked(e *zip.Entry, t *trial, number int) error {
	first, damaged := t.password, false
	for i := -1; first >= 0 && i < len(l.passwords); i++ { // -1: as it is decrypted now
		if i == first {
			continue
		}
		if i >= 0 {
			if fits, err := l.again(e, t, i); err != nil {
				return err
			} else if !fits {
				continue
			}
		}
		p, r, found, err := l.decrypt(e, t)
		if err != nil {
			return err
		}
		if found == opens {
			if e.Size > 0 || e.Cipher == zip.AES { // the CRC of nothing proves nothing
				l.opened, l.lead = true, t.password
				if l.shut != nil {
					return l.shut
				}
			}
			return l.take(e, p, &r, number)
		}
		damaged = damaged || found == broken
	}
	refusal := lake.Refuse(lake.Corrupt, number)
	if damaged || l.opened {
		return refusal
	}
	if l.shut == nil {
		l.shut = refusal
	}
	return nil
}

// again decrypts an entry with another password, if that passes the cheap check.
func (l *level) again(e *zip.Entry, t *trial, p int) (bool, error) {
	if e.Cipher == zip.ZipCrypto {
		if !l.fits(e, t, p) {
			return false, nil
		}
		if t.body != nil {
			c := t.start
			c.Decrypt(t.body, e.Data[zipcrypto.HeaderSize:])
		}
		return true, nil
	}
	l.derive = append(l.derive[:0], pbkdf2.Job{Password: l.passwords[p].aes, Salt: t.sealed.Salt, Key: t.key})
	if err := l.deriver.Derive(l.derive); err != nil || !t.sealed.Fits(t.key) {
		return false, err
	}
	t.password = p
	return true, nil
}

// verdict is what an entry shows of a password that passed the cheap check.
type verdict uint8

const (
	wrong  verdict = iota
	broken         // it is right, and the entry is damaged
	opens
)

// decrypt proves an entry with the password of its trial.
func (l *level) decrypt(e *zip.Entry, t *trial) (proof, recipe, verdict, error) {
	r := recipe{method: methodOf(e), cipher: e.Cipher}
	if e.Cipher == zip.ZipCrypto {
		r.body, r.start = e.Data[zipcrypto.HeaderSize:], t.start
	} else {
		r.body, r.sealed, r.key = t.sealed.Body, t.sealed, t.key
		if !l.prover.Proves(t.sealed, t.key) {
			return proof{}, r, broken, nil
		}
		if t.body != nil {
			s, err := r.decrypter()
			if err != nil {
				return proof{}, r, wrong, err
			}
			s.Decrypt(t.body, r.body)
		}
	}
	if e.Method == zip.Store && e.Size != int64(len(r.body)) {
		return proof{}, r, broken, nil
	}
	p, err := l.prove(e, t.body, &r)
	switch {
	case err == nil:
		return p, r, opens, nil
	case e.Cipher == zip.AES || p.done && e.Method == zip.Deflate || looksPlain(p.head):
		return p, r, broken, nil
	}
	return p, r, wrong, nil
}

// looksPlain reports whether bytes decrypted without any proof are what records begin with: text, or an archive. Garbage
// of this length does not.
func looksPlain(b []byte) bool {
	const enough = 16
	if isArchive(b) {
		return true
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if len(b) < enough {
		return false
	}
	for _, c := range b[:enough] {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c >= 0x7f {
			return false
		}
	}
	return true
}
