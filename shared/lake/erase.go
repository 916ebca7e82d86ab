package lake

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// EraseFormat is the format of entries that erase: a program that knows none fails at them instead of bringing back what
// they take out. (Format + 1 is the format of pointers to folded entries.)
const EraseFormat = Format + 2

// Erasure takes uploads out of the lake for ever, wholly or, for the sake of others in them, without some records. It says
// all that is needed to go on with it and names nobody: no key, no value. The number of its entry is the epoch of the
// uploads that take the place of others. It names only uploads whose receipts stand in earlier entries, and what it says
// of them is what all entries before it come to.
type Erasure struct {
	Customer string   `json:"customer"`
	Order    int64    `json:"order,omitempty"`  // the entry that the order began with, which this one belongs to; 0: this one
	Reason   string   `json:"reason,omitempty"` // why, in the operator's words
	Uploads  []Erased `json:"uploads"`
}

// Erased is one upload that leaves. The loads that it brought leave the tables of Drops: with the entry if nothing of the
// upload stays, else when what is left of it comes.
type Erased struct {
	Arrival  string          `json:"arrival"`
	At       time.Time       `json:"at"` // when it came, which what is left of it keeps
	Replaces string          `json:"replaces,omitempty"`
	Older    []string        `json:"older,omitempty"`
	Drops    []string        `json:"drops,omitempty"`
	Without  []string        `json:"without,omitempty"`
	Records  map[int][]int64 `json:"records,omitempty"` // it is rewritten without these: by member, as rows have _entry and _row; 0 is all of the member, none none of it. Empty: nothing stays
}

// Loads lists all loads that the upload has brought.
func (e *Erased) Loads() []string {
	if e.Replaces == "" {
		return e.Older
	}
	return append([]string{e.Replaces}, e.Older...)
}

// rewrittenMark begins the unique id in the key of an upload that was rewritten.
const rewrittenMark = "erased-"

// RewrittenKey is where the upload that erasure n puts in the place of arrival `of` goes: beside it, under its name, which
// key has.
func RewrittenKey(key string, n int64, of string) string {
	return fmt.Sprintf("%s@%s%012d-%s", unmarked(key), rewrittenMark, n, of)
}

// Rewritten tells, of an upload whose key says that an erasure has put it in the place of another, the erasure's entry and
// the other arrival. A sender may choose such a key too: the entry knows.
func (a Arrival) Rewritten() (n int64, of string, ok bool) {
	id := a.Key[strings.LastIndexByte(a.Key, '@')+1:]
	id, marked := strings.CutPrefix(id, rewrittenMark)
	number, of, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(number, 10, 64)
	if !marked || err != nil || n <= 0 || len(of) != IDLen {
		return 0, "", false
	}
	return n, of, true
}

// Nameless is the arrival called id without the name that its sender gave it.
func (a Arrival) Nameless(id string) Arrival {
	a.Key = path.Join("landing", a.Customer(), a.Date(), "erased@"+id)
	a.Version = ""
	return a
}
