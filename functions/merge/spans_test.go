package merge

import (
	"encoding/binary"
	"testing"

	"medlake/shared/lake"
)

func TestSpansLeaveOutWhatCannotHoldAKey(t *testing.T) {
	t.Parallel()
	le := func(n int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(n)) }
	s := lake.Schema{Columns: []lake.Column{
		{ID: 1, Name: "id", Type: lake.Type{Kind: lake.String}},
		{ID: 2, Name: "n", Type: lake.Type{Kind: lake.Long}},
		{ID: 3, Name: "d", Type: lake.Type{Kind: lake.Decimal, Precision: 9, Scale: 2}},
		{ID: 4, Name: "day", Type: lake.Type{Kind: lake.Date}},
	}}
	ids := span{name: "id", texts: [][]byte{[]byte("b"), []byte("m")}}
	numbers := span{name: "n", ints: []int64{-5, 300}}
	decimals := span{name: "d", ints: []int64{-129, 7}}
	days := span{name: "day", ints: []int64{-1}}
	for name, tt := range map[string]struct {
		spans  spans
		bounds map[string][2][]byte
		want   bool
	}{
		"nothing is looked for":   {nil, map[string][2][]byte{"id": {[]byte("x"), []byte("z")}}, true},
		"nothing is known":        {spans{ids, numbers}, nil, true},
		"one end is known":        {spans{ids}, map[string][2][]byte{"id": {[]byte("x"), nil}}, true},
		"text at the lower end":   {spans{ids}, map[string][2][]byte{"id": {[]byte("m"), []byte("z")}}, true},
		"text at the upper end":   {spans{ids}, map[string][2][]byte{"id": {[]byte(""), []byte("b")}}, true},
		"text between two values": {spans{ids}, map[string][2][]byte{"id": {[]byte("c"), []byte("l")}}, false},
		"text above all":          {spans{ids}, map[string][2][]byte{"id": {[]byte("ma"), []byte("z")}}, false},
		"number within":           {spans{numbers}, map[string][2][]byte{"n": {le(-10), le(0)}}, true},
		"number without":          {spans{numbers}, map[string][2][]byte{"n": {le(-4), le(299)}}, false},
		"short decimal":           {spans{decimals}, map[string][2][]byte{"d": {{0xff, 0x7f}, {0xff, 0x7f}}}, true}, // -129
		"decimal without":         {spans{decimals}, map[string][2][]byte{"d": {{0x80}, {0x06}}}, false},            // -128 to 6
		"four bytes":              {spans{days}, map[string][2][]byte{"day": {{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0}}}, true},
		"four bytes, without":     {spans{days}, map[string][2][]byte{"day": {{0, 0, 0, 0}, {1, 0, 0, 0}}}, false},
		"bytes of no number":      {spans{numbers}, map[string][2][]byte{"n": {{1}, {2}}}, true},
		"one of two without":      {spans{ids, numbers}, map[string][2][]byte{"id": {[]byte("a"), []byte("z")}, "n": {le(0), le(1)}}, false},
	} {
		got := tt.spans.meet(&side{schema: s}, func(c *lake.Column) ([]byte, []byte) { return tt.bounds[c.Name][0], tt.bounds[c.Name][1] })
		if got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
