//go:build unix

package archive_test

import (
	stdzip "archive/zip"
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"medlake/shared/archive"
	"medlake/shared/archive/lock"
)

// documents are 195 members of 8 KB, as in a zip of XML records.
func documents(b *testing.B, c lock.Cipher) ([]byte, int64) {
	b.Helper()
	var files []lock.File
	var total int64
	for i := range 195 {
		plain := text(8_000 + i)
		files = append(files, lock.File{Name: fmt.Sprintf("%d.xml", i), Data: plain})
		total += int64(len(plain))
	}
	data, err := lock.Zip(files, lock.Options{Cipher: c, Password: current, Random: zeros{}})
	if err != nil {
		b.Fatal(err)
	}
	return data, total
}

// BenchmarkOpen opens an archive and reads all members: ours, and what the standard library alone offers.
func BenchmarkOpen(b *testing.B) {
	for _, c := range []struct {
		name   string
		cipher lock.Cipher
	}{{"plain", lock.None}, {"ZipCrypto", lock.ZipCrypto}, {"AES", lock.AES256}} {
		data, total := documents(b, c.cipher)
		for name, open := range map[string]func(*testing.B, []byte) int{"ours": ours, "std": std} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.SetBytes(total)
				b.ReportAllocs()
				members, start := 0, cpu(b)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for b.Loop() {
					members += open(b, data)
				}
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(cpu(b)-start)/float64(members), "cpu-ns/member")
				b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(members), "allocs/member")
			})
		}
	}
}

// cpu is the processor time this process has used: steadier than time where others work too.
func cpu(b *testing.B) int64 {
	b.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return r.Utime.Nano() + r.Stime.Nano()
}

func ours(b *testing.B, data []byte) int {
	a, err := archive.Open(data, passwords, archive.Defaults())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for _, m := range a.Members() {
		if _, err := m.Bytes(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
	return n
}

// std does the same with archive/zip, compress/flate and crypto, as plainly as can be.
func std(b *testing.B, data []byte) int {
	z, err := stdzip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range z.File {
		raw, err := f.OpenRaw()
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(raw)
		if err != nil {
			b.Fatal(err)
		}
		crc := true
		switch {
		case f.Method == 99:
			body, crc = stdAES(b, body), false
		case f.Flags&1 != 0:
			body = stdZipCrypto(body)[12:]
		}
		plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(body)))
		if err != nil || uint64(len(plain)) != f.UncompressedSize64 || crc && crc32.ChecksumIEEE(plain) != f.CRC32 {
			b.Fatalf("%d bytes, %v", len(plain), err)
		}
		sha256.Sum256(plain)
	}
	return len(z.File)
}

func stdAES(b *testing.B, raw []byte) []byte {
	key, err := pbkdf2.Key(sha1.New, current, raw[:16], 1000, 66)
	if err != nil {
		b.Fatal(err)
	}
	body := raw[18 : len(raw)-10]
	mac := hmac.New(sha1.New, key[32:64])
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil)[:10], raw[len(raw)-10:]) {
		b.Fatal("code")
	}
	block, err := aes.NewCipher(key[:32])
	if err != nil {
		b.Fatal(err)
	}
	out := make([]byte, len(body))
	var in, stream [16]byte
	for i := range body {
		if i%16 == 0 {
			binary.LittleEndian.PutUint64(in[:], uint64(i/16+1))
			block.Encrypt(stream[:], in[:])
		}
		out[i] = body[i] ^ stream[i%16]
	}
	return out
}

func stdZipCrypto(raw []byte) []byte {
	k := zipCryptoKeys(current)
	out := make([]byte, len(raw))
	for i, b := range raw {
		out[i] = b ^ k.stream()
		k.update(out[i])
	}
	return out
}

// BenchmarkStream opens one large CSV and reads it again in pieces.
func BenchmarkStream(b *testing.B) {
	plain := text(48 << 20)
	for name, c := range map[string]lock.Cipher{"plain": lock.None, "ZipCrypto": lock.ZipCrypto, "AES": lock.AES256} {
		data := build(seal(b, "a.csv", plain, c, current))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			start := cpu(b)
			for b.Loop() {
				a, err := archive.Open(data, passwords, archive.Defaults())
				if err != nil {
					b.Fatal(err)
				}
				r, err := a.Members()[0].Reader()
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, r); err != nil || n != int64(len(plain)) {
					b.Fatal(n, err)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
				if err := a.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}
