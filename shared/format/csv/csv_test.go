package csv_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/format"
	"medlake/shared/format/csv"
	"medlake/shared/lake"
)

// TestTextsBecomeRows reads each text twice, the second time byte by byte through a small window. A row is its line and
// fields, - is absent; a faulty row is its line and rule.
func TestTextsBecomeRows(t *testing.T) {
	t.Parallel()
	quoted := csv.Config{Quote: '"'}
	pipe := csv.Config{Delimiter: '|'}
	tests := []struct {
		name   string
		config csv.Config
		text   string
		want   []string
	}{
		{"plain", quoted, "id,name\n1,Ann\n2,Bob\n", []string{"2: 1 Ann", "3: 2 Bob"}},
		{"columns in another order, letter case ignored", quoted, "NAME, Id \nAnn,1\n", []string{"2: 1 Ann"}},
		{"wanted column missing", quoted, "id,other\n1,x\n", []string{"2: 1 - x"}},
		{"extra column", quoted, "id,x,name\n1,y,Ann\n", []string{"2: 1 Ann y"}},
		{"no newline at the end", quoted, "id,name\n1,Ann", []string{"2: 1 Ann"}},
		{"empty last field at the end", quoted, "id,name\n1,", []string{"2: 1 "}},
		{"CRLF", quoted, "id,name\r\n1,Ann\r\n", []string{"2: 1 Ann"}},
		{"LF and CRLF mixed", quoted, "id,name\n1,Ann\r\n2,Bob\n", []string{"2: 1 Ann", "3: 2 Bob"}},
		{"CR CR LF", quoted, "id,name\r\r\n1,Ann\r\r\n", []string{"2: 1 Ann"}},
		{"CR alone", quoted, "id,name\r1,Ann\r\"2\r\n\",Bob\r\r3,Cy", []string{"2: 1 Ann", "3: 2\r\n Bob", "6: 3 Cy"}},
		{"CR in a field of an LF text", quoted, "id,name\n1,A\rnn\n", []string{"2: 1 A\rnn"}},
		{"byte order mark", quoted, "\xef\xbb\xbfid,name\n1,Ann\n", []string{"2: 1 Ann"}},
		{"byte order mark before a quote", quoted, "\xef\xbb\xbf\"id\",name\n1,Ann\n", []string{"2: 1 Ann"}},
		{"quotes", quoted, "id,name\n\"1\",\"O\"\"Neil, Ann\"\n", []string{`2: 1 O"Neil, Ann`}},
		{"newlines in quotes count as lines", quoted, "id,name\n1,\"a\r\n\nb\"\n2,Bob\n", []string{"2: 1 a\r\n\nb", "5: 2 Bob"}},
		{"header with a newline in quotes", quoted, "id,\"name\n\"\n1,Ann\n", []string{"3: 1 Ann"}},
		{"empty fields", quoted, "id,name\n,\"\"\n", []string{"2:  "}},
		{"doubled quote alone", quoted, "id,name\n1,\"\"\"\"\n", []string{`2: 1 "`}},
		{"quote inside a plain field", quoted, "id,name\n1,6\" nail\n", []string{`2: 1 6" nail`}},
		{"text after a closing quote", quoted, "id,name\n1,\"Ann\"x\n2,Bob\n", []string{"2: quote", "3: 2 Bob"}},
		{"quotes mean nothing", csv.Config{}, "id,name\n\"1\",\"A\n", []string{`2: "1" "A`}},
		{"single quote as the quote", csv.Config{Quote: '\''}, "id,name\n'1,','A\"'\n", []string{`2: 1, A"`}},
		{"pipe", pipe, "id|name\n1|A,nn\n", []string{"2: 1 A,nn"}},
		{"tab", csv.Config{Delimiter: '\t'}, "id\tname\n1\tAnn\n", []string{"2: 1 Ann"}},
		{"trailing delimiter in header and rows", pipe, "id|name|\n1|Ann|\n2|Bob|\n", []string{"2: 1 Ann", "3: 2 Bob"}},
		{"trailing delimiter in rows", pipe, "id|name\n1|Ann|\n", []string{"2: 1 Ann"}},
		{"trailing delimiter in the header", pipe, "id|name|\n1|Ann\n", []string{"2: 1 Ann"}},
		{"trailing quoted nothing", quoted, "id,name\n1,Ann,\"\"\n", []string{"2: 1 Ann"}},
		{"too few", pipe, "id|name\n1\n2|Bob\n", []string{"2: ragged", "3: 2 Bob"}},
		{"too many", pipe, "id|name\n1|Ann|x\n1|Ann||\n2|Bob\n", []string{"2: ragged", "3: ragged", "4: 2 Bob"}},
		{"too few, padded", csv.Config{Pad: true}, "id,name,x\n1\n2,Bob\n3,Cy,z\n", []string{"2: 1 - -", "3: 2 Bob -", "4: 3 Cy z"}},
		{"too many, padded all the same", csv.Config{Pad: true}, "id,name\n1,Ann,x\n", []string{"2: ragged"}},
		{"blank lines", quoted, "\n\r\nid,name\n\n1,Ann\n\n\n2,Bob\n\n", []string{"5: 1 Ann", "8: 2 Bob"}},
		{"blank lines before CR", quoted, "\rid,name\r\r1,Ann\r", []string{"4: 1 Ann"}},
		{"no header", csv.Config{NoHeader: true, Columns: []string{"name", "id"}}, "Ann,1\nBob,2\n", []string{"1: 1 Ann", "2: 2 Bob"}},
		{"names in place of the header", csv.Config{Columns: []string{"name", "id"}}, "N,No\nAnn,1\n", []string{"2: 1 Ann"}},
		{"UTF-16 LE", quoted, "\xff\xfei\x00d\x00,\x00n\x00a\x00m\x00e\x00\n\x001\x00,\x00\xeb\x00\n\x00", []string{"2: 1 ë"}},
		{"UTF-16 BE", quoted, "\xfe\xff\x00i\x00d\x00\n\xd8\x3d\xde\x00\x00\n", []string{"2: 😀 -"}},
		{"UTF-16 declared", csv.Config{Encoding: "UTF-16BE"}, "\x00i\x00d\x00\n\x001\x00\n", []string{"2: 1 -"}},
		{"windows-1252", csv.Config{Encoding: "windows-1252"}, "id,name\n\x80,Zo\xeb\n", []string{"2: € Zoë"}},
		{"ISO-8859-1", csv.Config{Encoding: "ISO-8859-1"}, "id,name\n1,Zo\xeb\n", []string{"2: 1 Zoë"}},
		{"the mark overrides what is declared", csv.Config{Encoding: "ISO-8859-1"}, "\xef\xbb\xbfid,name\n1,Zoë\n", []string{"2: 1 Zoë"}},
		{"header only", quoted, "id,name\n", nil},
		{"nothing", quoted, "", nil},
		{"only blank lines", quoted, "\n\r\n\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, slow := range []bool{false, true} {
				rows, _, err := decode(t, tt.config, []string{"id", "name"}, source{data: []byte(tt.text), slow: slow})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for i, r := range rows {
					if r.Row != int64(i+1) {
						t.Errorf("row %d has number %d", i+1, r.Row)
					}
					s := strings.Join(r.Fields, " ")
					if r.Fault != "" {
						s = r.Fault
					}
					got = append(got, strconv.Itoa(r.Line)+": "+strings.ReplaceAll(s, "<absent>", "-"))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("slow %t (-want +got):\n%s", slow, diff)
				}
			}
		})
	}
}

func TestHeaderNamesWhatNobodyWanted(t *testing.T) {
	t.Parallel()
	_, d, err := decode(t, csv.Config{}, []string{"id", "zip", "name"}, source{data: []byte("Name,x,,ID,x,name,\n")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Name", "x", "", "ID", "x", "name"}, d.Header()); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1}, d.Missing()); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x", "column_3", "x_5", "name_6"}, d.Extra()); diff != "" {
		t.Errorf("extra (-want +got):\n%s", diff)
	}
}

func TestDecoderIsAsGoodAsNew(t *testing.T) {
	t.Parallel()
	d, err := csv.Config{}.NewDecoder([]string{"b"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, want string }{
		{"a,b\n1,2\n", "2"}, {"b,a\n1,2\n", "1"}, {"b,a\n3,4\n", "3"}, {"", ""}, {"\"\n", ""}, {"b\r5\r", "5"}, {"a\n1\n", "-"},
	} {
		got := ""
		err := d.Decode(source{data: []byte(tt.text)}, func(r *format.Row) error {
			got += string(r.Fields[0])
			if r.Fields[0] == nil {
				got += "-"
			}
			return nil
		})
		if got != tt.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestBadTextsAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config csv.Config
		text   string
		reason lake.Reason
		line   int
	}{
		{"quote never closed", csv.Config{Quote: '"'}, "a,b\n1,2\n\"3\n\",\"4\n5,6\n", lake.Malformed, 4},
		{"quote never closed in the header", csv.Config{Quote: '"'}, "a,\"b\n1,2\n", lake.Malformed, 1},
		{"text after a quote in the header", csv.Config{Quote: '"'}, "a,\"b\"c\n1,2\n", lake.Malformed, 1},
		{"not UTF-8", csv.Config{}, "a,b\n1,2\n1,\xff\n", lake.Undecodable, 3},
		{"cut UTF-8", csv.Config{}, "a,b\n1,2\n1,\xc3", lake.Undecodable, 3},
		{"no such character", csv.Config{Encoding: "windows-1252"}, "a,b\n1,\x81\n", lake.Undecodable, 2},
		{"not ASCII", csv.Config{Encoding: "us-ascii"}, "a,b\n1,\xe9\n", lake.Undecodable, 2},
		{"cut UTF-16", csv.Config{}, "\xff\xfea\x00\n\x001", lake.Undecodable, 2},
		{"half a pair", csv.Config{}, "\xff\xfea\x00\n\x00\x3d\xd8a\x00", lake.Undecodable, 2},
		{"UTF-16 without a mark", csv.Config{}, "a\x00,\x00b\x00\n\x00", lake.Undecodable, 1},
		{"long field", csv.Config{}, "a,b\n1," + strings.Repeat("x", format.MaxToken+1) + "\n", lake.TooLarge, 2},
		{"long row", csv.Config{}, "a,b\n1," + strings.Repeat("x,", format.MaxRow/2), lake.TooLarge, 2},
		{"many columns", csv.Config{}, strings.Repeat("x,", format.MaxColumns+1) + "\n1\n", lake.TooLarge, 1},
		{"many fields", csv.Config{}, "a\n" + strings.Repeat("x,", format.MaxColumns+1) + "\n", lake.TooLarge, 2},
		{"endless quote", csv.Config{Quote: '"'}, "a\n\"" + strings.Repeat("x", format.MaxRow+1), lake.TooLarge, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, slow := range []bool{false, true} {
				if slow && len(tt.text) > 1<<20 {
					continue
				}
				_, _, err := decode(t, tt.config, nil, source{data: []byte(tt.text), slow: slow})
				var r *lake.Refusal
				if !errors.As(err, &r) || r.Reason != tt.reason || r.Where.Line != tt.line || r.Where.Entry != -1 {
					t.Errorf("got %v, want %s, line %d", err, tt.reason, tt.line)
				}
			}
		})
	}
}

func TestFaultyConfigs(t *testing.T) {
	t.Parallel()
	for _, c := range []csv.Config{
		{Encoding: "klingon"}, {Delimiter: 0xA7}, {Delimiter: '\n'}, {Quote: '\r'}, {Delimiter: '"', Quote: '"'}, {Quote: ','}, {NoHeader: true},
	} {
		if _, err := c.NewDecoder(nil); !errors.Is(err, lake.ErrInvalid) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

// broken is a source that fails after its text.
type broken struct {
	text string
	err  error
}

func (b broken) Bytes() ([]byte, error) { return nil, b.err }

func (b broken) Reader() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader(b.text), iotest.ErrReader(b.err))), nil
}

func TestErrorsComeThrough(t *testing.T) {
	t.Parallel()
	d, err := csv.Config{}.NewDecoder(nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	if err := d.Decode(broken{"a,b\n1,2\n3,", io.ErrUnexpectedEOF}, func(*format.Row) error { rows++; return nil }); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, lake.ErrInvalid) || rows != 1 {
		t.Errorf("source: got %v after %d rows", err, rows)
	}
	stop := errors.New("stop")
	if err := d.Decode(source{data: []byte("a\n1\n")}, func(*format.Row) error { return stop }); err != stop {
		t.Errorf("emit: got %v", err)
	}
}
