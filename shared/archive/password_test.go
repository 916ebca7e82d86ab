package archive_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"testing"

	"medlake/shared/archive"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
)

func TestWrongPasswords(t *testing.T) {
	t.Parallel()
	zc := func(name, password string) part { return seal(t, name, long(20), lock.ZipCrypto, password) }
	aes := func(name, password string) part { return seal(t, name, long(20), lock.AES256, password) }
	damage := func(p part, at int) part {
		p.body = bytes.Clone(p.body)
		p.body[(at+len(p.body))%len(p.body)] ^= 1
		return p
	}
	both := []string{current, previous}
	for _, c := range []struct {
		name  string
		data  []byte
		words []string
		want  lake.Reason
		entry int
	}{
		{"AES, another", build(aes("a", current), aes("b", current)), []string{"x", "y"}, lake.WrongPassword, -1},
		{"AES, none", build(aes("a", current)), nil, lake.WrongPassword, -1},
		{"AES, an empty one", build(aes("a", current)), []string{""}, lake.WrongPassword, -1},
		{"ZipCrypto, another", build(zc("a", current), zc("b", current)), []string{"x", "y"}, lake.WrongPassword, -1},
		{"ZipCrypto, none", build(zc("a", current)), nil, lake.WrongPassword, -1},
		{"a plain member beside", build(pack(t, "p", long(3)), zc("a", current), aes("b", current)), []string{"x"}, lake.WrongPassword, -1},
		{"the first member only", build(aes("a", "other"), aes("b", current)), both, lake.Corrupt, 0},
		{"the last member only", build(zc("a", current), pack(t, "p", long(3)), zc("b", "other")), both, lake.Corrupt, 2},
		{"AES, a damaged body", build(aes("a", current), damage(aes("b", current), 40)), both, lake.Corrupt, 1},
		{"AES, a damaged body alone", build(damage(aes("a", current), 40)), both, lake.Corrupt, 0},
		{"AES, a damaged code", build(damage(aes("a", previous), -1)), both, lake.Corrupt, 0},
		{"ZipCrypto, a damaged body", build(zc("a", current), damage(zc("b", current), -9)), both, lake.Corrupt, 1},
		{"ZipCrypto, a damaged body first", build(damage(zc("a", current), 30), zc("b", current)), both, lake.Corrupt, 0},
		{"ZipCrypto, a damaged body alone", build(damage(zc("a", previous), -9)), both, lake.Corrupt, 0},
		{"in an archive inside", build(pack(t, "p", long(3)), store("in.zip", string(build(aes("a", "other"))))), both, lake.WrongPassword, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.data, c.words, archive.Defaults(), c.want, c.entry)
		})
	}
}

// TestOneByteIsNoProof tries passwords of which one in 256 passes the check of ZipCrypto.
func TestOneByteIsNoProof(t *testing.T) {
	t.Parallel()
	small := store("a.csv", csv)
	for name, data := range map[string][]byte{
		"deflated":        build(seal(t, "a.csv", long(20), lock.ZipCrypto, current)),
		"stored":          build(sealStored(t, small)),
		"tiny":            build(seal(t, "a.csv", []byte("1"), lock.ZipCrypto, current)),
		"of five members": read(t, "testdata/golden/7z-ZipCrypto.zip"),
	} {
		for i := range 3000 {
			word := fmt.Sprintf("guess-%d", i)
			refused(t, data, []string{word}, archive.Defaults(), lake.WrongPassword, -1)
			if i > 1000 {
				continue
			}
			// The right one after it always opens.
			if _, err := archive.Open(data, []string{word, current}, archive.Defaults()); err != nil {
				t.Errorf("%s, guess %d first: %v", name, i, err)
			}
		}
	}
}

// keys are ZipCrypto's, written down a second time.
type keys [3]uint32

func zipCryptoKeys(password string) keys {
	k := keys{0x12345678, 0x23456789, 0x34567890}
	for _, b := range []byte(password) {
		k.update(b)
	}
	return k
}

func (k *keys) update(b byte) {
	k[0] = crc32.IEEETable[byte(k[0])^b] ^ k[0]>>8
	k[1] = (k[1]+k[0]&0xff)*134775813 + 1
	k[2] = crc32.IEEETable[byte(k[2])^byte(k[1]>>24)] ^ k[2]>>8
}

func (k *keys) stream() byte { x := k[2] | 2; return byte(x * (x ^ 1) >> 8) }

// sealStored locks a stored entry with the current password.
func sealStored(t *testing.T, p part) part {
	t.Helper()
	body := bytes.Clone(seal(t, p.name, p.body, lock.ZipCrypto, current).body[:12]) // it checks the same CRC
	k := zipCryptoKeys(current)
	for _, b := range body {
		k.update(b ^ k.stream())
	}
	for _, b := range p.body {
		body = append(body, b^k.stream())
		k.update(b)
	}
	p.flags, p.body = 1, body
	return p
}

// TestNothingProvesNoPassword: the CRC of an empty member holds with any password that passes the check.
func TestNothingProvesNoPassword(t *testing.T) {
	t.Parallel()
	empty := sealStored(t, store("empty", ""))
	data := build(empty, seal(t, "a.csv", long(20), lock.ZipCrypto, current))
	for i := range 600 {
		refused(t, data, []string{fmt.Sprintf("guess-%d", i)}, archive.Defaults(), lake.WrongPassword, -1)
	}
	if _, err := archive.Open(build(empty), passwords, archive.Defaults()); err != nil {
		t.Error(err)
	}
}

func TestEachMemberMayHaveItsOwnPassword(t *testing.T) {
	t.Parallel()
	var parts []part
	for i := range 40 {
		parts = append(parts, seal(t, "m", long(i), []lock.Cipher{lock.ZipCrypto, lock.AES256, lock.None}[i%3], passwords[i/5%2]))
	}
	for _, words := range [][]string{{current, previous}, {previous, current}, {"x", current, "y", previous}} {
		a, err := archive.Open(build(parts...), words, archive.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range a.Members() {
			if b, err := m.Bytes(); err != nil || !bytes.Equal(b, long(i)) {
				t.Errorf("member %d: %d bytes, %v", i, len(b), err)
			}
		}
	}
}
