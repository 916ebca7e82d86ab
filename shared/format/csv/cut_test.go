package csv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"unicode/utf16"

	"medlake/shared/format"
)

func utf16le(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func TestCutLeavesOtherBytesAsTheyStood(t *testing.T) {
	t.Parallel()
	plain := Config{Delimiter: '|'}
	quoted := Config{Quote: '"'}
	bare := Config{NoHeader: true, Columns: []string{"a", "b"}, Quote: '"'}
	utf := Config{Encoding: "utf-16le"}
	latin := Config{Encoding: "windows-1252"}
	for name, c := range map[string]struct {
		cfg      Config
		in, want string
		drop     int64
	}{
		"one of three":            {plain, "a|b\n1|x\n2|y\n3|z\n", "a|b\n1|x\n3|z\n", 2},
		"CRLF and LF mixed":       {plain, "a|b\r\n1|x\n2|y\r\n3|z", "a|b\r\n1|x\n3|z", 2},
		"last without a line end": {plain, "a|b\n1|x\n2|y", "a|b\n1|x\n", 2},
		"CR alone":                {plain, "a|b\r1|x\r2|y\r", "a|b\r2|y\r", 1},
		"blank lines stay":        {plain, "a|b\n\n1|x\n\n2|y\n", "a|b\n\n\n2|y\n", 1},
		"quoted line ends":        {quoted, "a,b\n\"1\n1\",x\n2,\"y\r\n,\"\"\"\n", "a,b\n\"1\n1\",x\n", 2},
		"quoted line ends stay":   {quoted, "a,b\n\"1\n1\",x\n2,\"y\r\n,\"\"\"\n", "a,b\n2,\"y\r\n,\"\"\"\n", 1},
		"a ragged record counts":  {quoted, "a,b\n1,x,,\n2,y\n", "a,b\n1,x,,\n", 2},
		"a byte order mark":       {quoted, "\xef\xbb\xbfa,b\n1,\u00fc\n2,y\n", "\xef\xbb\xbfa,b\n2,y\n", 1},
		"first without header":    {bare, "1,x\n2,y\rz\n", "\n2,y\rz\n", 1},
		"all without header":      {bare, "1,x", "", 1},
		"a delimiter at the end":  {bare, "1,", "", 1},
		"UTF-16":                  {utf, string(utf16le("a,b\r\n1,\U0001F600\r\n2,\u00fc\r\n3,z")), string(utf16le("a,b\r\n1,\U0001F600\r\n3,z")), 2},
		"UTF-16 with a mark":      {quoted, string(utf16le("\ufeffa,b\r\n1,\U0001F600\r\n2,\u00fc")), string(utf16le("\ufeffa,b\r\n2,\u00fc")), 1},
		"one byte a character":    {latin, "a,b\n1,\xfc\x80\n2,\xe4\n", "a,b\n2,\xe4\n", 1},
		"nothing":                 {plain, "a|b\n1|x\n", "a|b\n1|x\n", 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.cfg.Cut([]byte(c.in), func(row int64) bool { return row == c.drop })
			if err != nil || string(got) != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestCutFailsWhereOthersWouldReadDifferently(t *testing.T) {
	t.Parallel()
	got, err := Config{}.Cut([]byte("a\r1\r\n2\n3\r"), func(row int64) bool { return row == 1 })
	if err != ErrInseparable || got != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestCutLeavesTheOtherRecords cuts random records out of random texts larger than the decoder's window.
func TestCutLeavesTheOtherRecords(t *testing.T) {
	t.Parallel()
	pieces := []string{"a", "\"", "\"\"", ",", "\r\n", "\n", "\u00fc", "\U0001F600", " ", "long long text"}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		c := Config{Quote: '"', NoHeader: r.IntN(2) == 0, Columns: []string{"a", "b"}}
		var text, others []byte
		if !c.NoHeader {
			text = append(text, "a,b\r\n"...)
			others = bytes.Clone(text)
		}
		gone := map[int64]bool{}
		for row := range int64(1 + r.IntN(12_000)) {
			var f []byte
			for range r.IntN(5) {
				if p := pieces[r.IntN(len(pieces))]; p != "\"" {
					f = append(f, p...)
				}
			}
			record := fmt.Appendf(nil, "%d,\"%s\"\r\n", row, f)
			text = append(text, record...)
			if r.IntN(3) > 0 {
				others = append(others, record...)
			} else if gone[row+1] = true; c.NoHeader && row == 0 {
				others = append(others, '\n')
			}
		}
		enc := func(b []byte) []byte { return b }
		if r.IntN(2) == 0 {
			c.Encoding = "utf-16le"
			enc = func(b []byte) []byte { return utf16le(string(b)) }
		}
		got, err := c.Cut(enc(text), func(row int64) bool { return gone[row] })
		if err != nil || !bytes.Equal(got, enc(others)) {
			t.Fatalf("seed %d: %v, or not the bytes of the others", seed, err)
		}
		n := 0
		d, err := c.NewDecoder(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(whole(got), func(*format.Row) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
}
