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
	tried, damaged := t.password, false
	try := func() (bool, error) {
		l.lead, tried = t.password, t.password
		p, r, ok, evident, err := l.decrypt(e, t)
		if err != nil {
			return false, err
		}
		if !ok {
			damaged = damaged || evident
			return false, nil
		}
		l.opened = true
		if l.shut != nil {
			return true, l.shut
		}
		return true, l.take(e, p, &r, number)
	}
	if t.password >= 0 {
		lead := l.lead
		if done, err := try(); done || err != nil {
			return err
		}
		l.lead = lead
		first := tried
		for p := range l.passwords {
			if p == first {
				continue
			}
			if fits, err := l.again(e, t, p); err != nil {
				return err
			} else if !fits {
				continue
			}
			if done, err := try(); done || err != nil {
				return err
			}
			l.lead = lead
		}
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

// decrypt proves an entry with the password of its trial. Evident says that the password is right although the entry
// does not hold.
func (l *level) decrypt(e *zip.Entry, t *trial) (p proof, r recipe, ok, evident bool, err error) {
	r = recipe{method: methodOf(e), cipher: e.Cipher}
	if e.Cipher == zip.ZipCrypto {
		r.body, r.start = e.Data[zipcrypto.HeaderSize:], t.start
	} else {
		r.body, r.sealed, r.key = t.sealed.Body, t.sealed, t.key
		if !l.prover.Proves(t.sealed, t.key) {
			return p, r, false, true, nil
		}
		if t.body != nil {
			s, err := r.decrypter()
			if err != nil {
				return p, r, false, false, err
			}
			s.Decrypt(t.body, r.body)
		}
	}
	if e.Method == zip.Store && e.Size != int64(len(r.body)) {
		return p, r, false, true, nil
	}
	p, wrong := l.prove(e, t.body, &r)
	evident = e.Cipher == zip.AES || p.done && e.Method == zip.Deflate || looksPlain(p.head)
	return p, r, wrong == nil, evident, nil
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
