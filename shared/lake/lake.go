// Package lake holds the nouns every part of Medlake shares: arrivals, loads, records, data files, rejects, the log,
// and the errors callers act on. It imports the standard library only and does no I/O.
package lake

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"path"
	"strings"
	"time"
)

// Arrival is one upload: an object in the landing area, told apart from every other by bucket, key and version.
type Arrival struct {
	Bucket  string    `json:"bucket"`
	Key     string    `json:"key"`     // landing/<customer>/<utc date>/<path>/<name>@<id>, or a sender's own landing/<customer>/<path>/<name>
	Version string    `json:"version"` // the store's version or generation; else etag and size
	Size    int64     `json:"size"`    // bytes
	At      time.Time `json:"at"`      // the store's time of the upload, UTC, whole microseconds
}

// ID names the arrival in events, logs and control objects. It does not reveal the file name.
func (a Arrival) ID() string { return Hash("arrival", a.Bucket, a.Key, a.Version) }

// Customer is the tenant, read from the verified key prefix; empty if the key is not an upload's.
func (a Arrival) Customer() string {
	parts := strings.SplitN(a.Key, "/", 3)
	if len(parts) < 3 || parts[0] != "landing" || parts[2] == "" || strings.HasSuffix(a.Key, "/") { // a folder is no upload
		return ""
	}
	return parts[1]
}

// Date is the landing folder's UTC date as the key spells it (2026-11-24); empty if a sender wrote to the bucket without
// one.
func (a Arrival) Date() string {
	parts := strings.SplitN(a.Key, "/", 4)
	if len(parts) < 4 || !ValidDate(parts[2]) {
		return ""
	}
	return parts[2]
}

// Name is what feeds match: <customer>/<path>/<name>, without the date and the unique id. It may identify a patient:
// never log it.
func (a Arrival) Name() string {
	customer := a.Customer()
	if customer == "" {
		return ""
	}
	rest := strings.TrimPrefix(unmarked(a.Key), "landing/"+customer+"/")
	if date := a.Date(); date != "" {
		rest = strings.TrimPrefix(rest, date+"/")
	}
	return path.Join(customer, rest)
}

// unmarked is a key without its unique id. The lake gives one to every upload that it puts into a date folder, and to
// what an erasure rewrites; elsewhere an @ is the sender's.
func unmarked(key string) string {
	a := Arrival{Key: key}
	_, _, rewritten := a.Rewritten()
	if i := strings.LastIndexByte(key, '@'); i > strings.LastIndexByte(key, '/') && (rewritten || a.Date() != "") {
		return key[:i]
	}
	return key
}

// ValidDate reports whether s names a date folder: 2026-11-24.
func ValidDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// ValidCustomer reports whether s can name a customer: [a-z0-9][a-z0-9-]{0,62}.
func ValidCustomer(s string) bool {
	if len(s) == 0 || len(s) > 63 || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

var ids = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// IDLen is the length of every id made by Hash.
const IDLen = 26

// Hash makes an id of 26 characters (128 bits of SHA-256) from parts; each part is length-prefixed, so ("a","b") and
// ("ab","") differ.
func Hash(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return ids.EncodeToString(h.Sum(nil)[:16])
}
