package lock

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
)

// zipCrypto is PKWARE's traditional cipher (APPNOTE 6.1): twelve header bytes, the last of which checks the password.
func zipCrypto(plain []byte, password string, check byte, random io.Reader) ([]byte, error) {
	out := make([]byte, 12, 12+len(plain))
	if _, err := io.ReadFull(random, out[:11]); err != nil {
		return nil, err
	}
	out[11] = check
	out = append(out, plain...)
	k0, k1, k2 := uint32(0x12345678), uint32(0x23456789), uint32(0x34567890)
	update := func(b byte) {
		k0 = crc32.IEEETable[byte(k0)^b] ^ k0>>8
		k1 = (k1+k0&0xff)*134775813 + 1
		k2 = crc32.IEEETable[byte(k2)^byte(k1>>24)] ^ k2>>8
	}
	for _, b := range []byte(password) {
		update(b)
	}
	for i, b := range out {
		x := k2 | 2
		out[i] = b ^ byte(x*(x^1)>>8)
		update(b)
	}
	return out, nil
}

// aes256 is WinZip's AE-2: salt, password check, AES-CTR with a little-endian counter from 1, first half of an HMAC-SHA1.
func aes256(plain []byte, password string, random io.Reader) ([]byte, error) {
	salt := make([]byte, 16)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, err
	}
	keys, err := pbkdf2.Key(sha1.New, password, salt, 1000, 66)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, err
	}
	body := slices.Clone(plain)
	var counter, stream [16]byte
	for i := range body {
		if i%16 == 0 {
			binary.LittleEndian.PutUint64(counter[:], uint64(i/16)+1)
			block.Encrypt(stream[:], counter[:])
		}
		body[i] ^= stream[i%16]
	}
	mac := hmac.New(sha1.New, keys[32:64])
	mac.Write(body)
	return slices.Concat(salt, keys[64:66], body, mac.Sum(nil)[:10]), nil
}
