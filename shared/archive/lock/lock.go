// Package lock writes password-protected zips, the way senders make them: ZipCrypto as Info-ZIP does, or AES-256 as
// WinZip (AE-2) and 7z do. It holds an archive in memory and is not meant for large ones. Reading is package archive's.
package lock

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// Cipher is how members are locked.
type Cipher int

// The ciphers.
const (
	None Cipher = iota
	ZipCrypto
	AES256
)

// Options says how to lock. Random gives salts and header bytes; a fixed reader makes the archive reproducible.
type Options struct {
	Cipher   Cipher
	Password string
	Random   io.Reader // crypto/rand.Reader outside tests
	Modified time.Time
}

// File is one member.
type File struct {
	Name string
	Data []byte
}

// Zip packs and locks files, in order.
func Zip(files []File, o Options) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i, f := range files {
		if err := add(w, f, o); err != nil {
			return nil, fmt.Errorf("pack member %d: %w", i, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func add(w *zip.Writer, f File, o Options) error {
	var packed bytes.Buffer
	d, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return err
	}
	if _, err := d.Write(f.Data); err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	sum := crc32.ChecksumIEEE(f.Data)
	h := &zip.FileHeader{
		Name: f.Name, Method: zip.Deflate, Modified: o.Modified, CRC32: sum,
		UncompressedSize64: uint64(len(f.Data)),
	}
	body := packed.Bytes()
	switch o.Cipher {
	case None:
	case ZipCrypto:
		h.Flags |= 1
		if body, err = zipCrypto(body, o.Password, byte(sum>>24), o.Random); err != nil {
			return err
		}
	case AES256:
		h.Flags |= 1
		h.Method = 99
		h.CRC32 = 0 // AE-2: the authentication code stands in for it
		h.Extra = []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', 3, byte(zip.Deflate), 0}
		if body, err = aes256(body, o.Password, o.Random); err != nil {
			return err
		}
	default:
		return fmt.Errorf("cipher %d is not known", o.Cipher)
	}
	h.CompressedSize64 = uint64(len(body))
	m, err := w.CreateRaw(h)
	if err != nil {
		return err
	}
	_, err = m.Write(body)
	return err
}
