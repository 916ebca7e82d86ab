package charset_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"medlake/shared/format/charset"
	"medlake/shared/lake"
)

func TestEncodingsByName(t *testing.T) {
	t.Parallel()
	for _, name := range append(charset.Names(), "", "UTF8", " Latin1 ", "CP1252", "ansi") {
		if _, err := charset.Lookup(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := charset.Lookup("klingon"); !errors.Is(err, lake.ErrInvalid) || !strings.Contains(err.Error(), "utf-16le") {
		t.Errorf("got %v, want the names there are", err)
	}
}

func TestReaderDecodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, encoding, in, want string
		err                      error
	}{
		{"empty", "", "", "", nil},
		{"UTF-8", "", "Zoë €😀", "Zoë €😀", nil},
		{"mark", "windows-1252", "\xef\xbb\xbfZoë", "Zoë", nil},
		{"part of a mark", "", "\xef\xbb", "", charset.ErrUndecodable},
		{"UTF-8 fault", "", "Zoë\xff!", "Zoë", charset.ErrUndecodable},
		{"UTF-8 cut", "", "Zo\xc3", "Zo", charset.ErrUndecodable},
		{"overlong", "", "a\xc0\x80", "a", charset.ErrUndecodable},
		{"windows-1252", "windows-1252", "\x80\x99\xeb", "€™ë", nil},
		{"nothing in windows-1252", "windows-1252", "a\x81b", "a", charset.ErrUndecodable},
		{"ISO-8859-1", "ISO-8859-1", "\x80\xeb\xff", "\u0080ëÿ", nil},
		{"IBM 437", "ibm437", "\x82", "é", nil},
		{"UTF-16 LE", "", "\xff\xfea\x00\xac\x20\x3d\xd8\x00\xde", "a€😀", nil},
		{"UTF-16 BE", "", "\xfe\xff\x00a\x20\xac\xd8\x3d\xde\x00", "a€😀", nil},
		{"UTF-16 half a pair", "utf-16", "a\x00\x3d\xd8b\x00", "a", charset.ErrUndecodable},
		{"UTF-16 wrong half first", "utf-16", "a\x00\x00\xdeb\x00", "a", charset.ErrUndecodable},
		{"UTF-16 cut", "utf-16", "a\x00b", "a", charset.ErrUndecodable},
		{"UTF-16 cut pair", "utf-16", "a\x00\x3d\xd8", "a", charset.ErrUndecodable},
		{"long", "", strings.Repeat("ë€😀", 50_000), strings.Repeat("ë€😀", 50_000), nil},
		{"long windows-1252", "windows-1252", strings.Repeat("\x80", 200_000), strings.Repeat("€", 200_000), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cs, err := charset.Lookup(tt.encoding)
			if err != nil {
				t.Fatal(err)
			}
			var r charset.Reader
			for _, src := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in)), iotest.DataErrReader(strings.NewReader(tt.in))} {
				r.Reset(src, cs)
				var got bytes.Buffer
				p := make([]byte, 16)
				var err error
				for err == nil {
					var n int
					n, err = r.Read(p)
					got.Write(p[:n])
				}
				if err == io.EOF {
					err = nil
				}
				if got.String() != tt.want || err != tt.err {
					t.Errorf("got %.40q, %v, want %.40q, %v", got.String(), err, tt.want, tt.err)
				}
			}
		})
	}
}
