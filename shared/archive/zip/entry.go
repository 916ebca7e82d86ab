// Package zip reads the directory of a zip in memory and says where each entry's bytes lie, after proving that entries
// share no byte and lie inside the file. It believes sizes no further than that, and opens no entry.
package zip

import "bytes"

// Methods of compression that are read.
const (
	Store   = 0
	Deflate = 8
)

// methodAES stands where the method would; the true one is in an extra field.
const methodAES = 99

// Cipher is how an entry is encrypted.
type Cipher uint8

// The ciphers. Unknown is one we do not read.
const (
	Plain Cipher = iota
	ZipCrypto
	AES
	Unknown
)

// Entry is one line of the directory.
type Entry struct {
	Name    []byte // as it stands in the archive, which must not change: a label, never a path
	Method  uint16
	Cipher  Cipher
	KeySize int  // of AES, in bytes
	HasCRC  bool // false for AE-2, which only has an authentication code
	CRC     uint32
	Check   [2]byte // what the last byte of a ZipCrypto header may be
	Size    int64   // of the plain bytes, as declared
	Data    []byte  // the entry's bytes: compressed, encrypted, with salt, header and code

	start int64 // of its local header
	end   int64 // of its data
}

// Folder reports whether the entry names a folder.
func (e *Entry) Folder() bool {
	n := len(e.Name)
	return n > 0 && separator(e.Name[n-1])
}

// Junk reports whether the entry is what an operating system adds unasked: resource forks and folder settings.
func (e *Entry) Junk() bool {
	for name := e.Name; ; {
		i := bytes.IndexAny(name, `/\`)
		if i < 0 {
			return string(name) == ".DS_Store" || bytes.HasPrefix(name, []byte("._"))
		}
		if string(name[:i]) == "__MACOSX" {
			return true
		}
		name = name[i+1:]
	}
}

// separator says that folders are separated by slashes and, by some old tools, by backslashes.
func separator(c byte) bool { return c == '/' || c == '\\' }
