package query

import (
	"bufio"
	"bytes"
	"errors"
	"slices"
	"testing"

	"medlake/shared/lake"
)

func TestCellsSurviveTheWire(t *testing.T) {
	t.Parallel()
	rows := [][]Cell{{{Text: "a"}, {Null: true}}, {{Text: ""}, {Text: "é\x00\n"}}, {{Null: true}, {Null: true}}}
	var b []byte
	for _, r := range rows {
		b = appendCells(b, r)
	}
	for _, want := range rows {
		got := make([]Cell, 2)
		var err error
		if b, err = nextCells(b, got); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v %v, want %v", got, err, want)
		}
	}
	if len(b) > 0 {
		t.Errorf("%d bytes are left", len(b))
	}
}

func TestFaultsKeepTheirKind(t *testing.T) {
	t.Parallel()
	for _, kind := range []error{lake.ErrInvalid, lake.ErrDenied, lake.ErrNotFound, ErrLimit} {
		if err := faultOf(refuse(kind, "no")).err(); !errors.Is(err, kind) || err.Error() != "no" {
			t.Errorf("%v became %v", kind, err)
		}
	}
	var e *Error
	if err := faultOf(errors.New("disk")).err(); errors.As(err, &e) || err.Error() != "disk" {
		t.Errorf("a trouble of ours became the author's: %v", err)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02m{}"), uint8(1))
	f.Add([]byte("\x00\x00\x00\x04r\x00\x02ab\x01"), uint8(2))
	f.Add([]byte("\xff\xff\xff\xffm"), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, width uint8) {
		var buf []byte
		m, err := receive(bufio.NewReader(bytes.NewReader(b)), &buf)
		if err != nil || width == 0 {
			return
		}
		cells := make([]Cell, width)
		for len(m.rows) > 0 {
			rest, err := nextCells(m.rows, cells)
			if err != nil {
				return
			}
			if len(rest) >= len(m.rows) {
				t.Fatal("no progress")
			}
			m.rows = rest
		}
	})
}
