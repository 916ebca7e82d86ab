package transform

import (
	"strings"
	"testing"

	"github.com/expr-lang/expr/parser"

	"medlake/shared/format"
	"medlake/shared/metadata"
)

// expressions are worked out natively and by the expr VM.
var expressions = []string{
	`a`, `"x"`, `5`, `-2.5`, `true`, `nil`,
	`upper(a)`, `lower(a)`, `trim(a)`, `trim(a, "xb")`, `concat(a, "-", b)`, `coalesce(a, b, "z")`, `after(a, "/")`, `before(a, "/")`,
	`part(a, "/", 2)`, `part(a, "/", -2)`, `first(a, "/")`, `last(a, "/")`, `left(a, 2)`, `right(a, 2)`, `pad(b, 4)`,
	`replace(a, "/", "")`, `digits(a)`, `zip3(b)`, `len(a)`, `string(b)`, `map(a, {"x": 1, "y/z": nil}, b)`,
	`num(b)`, `dec(b, 2)`, `int(b)`, `float(b)`, `round(num(b) / 3, 2)`, `abs(num(b))`, `floor(num(b))`, `ceil(num(b))`, `min(a, b)`, `max(num(b), 3)`,
	`ts(a)`, `day(a)`, `day(a, "2006/01/02", "hl7")`, `day(a) + 1`, `day(a) - day("2020-01-01")`, `ts(a) > "2026-01-01"`, `day(a) == "2026-03-05"`,
	`a == b`, `a != b`, `a == nil`, `nil != b`, `a == "x"`, `"x" != a`, `a == ""`, `b == 5`, `b > 5`, `5 > b`, `b <= a`, `b >= 5.0`, `a < "m"`,
	`a in ["x", "y/z"]`, `b not in [5, 6]`, `a in [nil, "q"]`, `a contains "/"`, `a startsWith "y"`, `a endsWith b`, `a matches "^[xy]"`,
	`num(b) + 1`, `b - 1`, `b * 2`, `b / 2`, `num(b) % 2`, `a + b`, `dec(b, 2) * dec("0.5", 1)`, `dec(b, 1) + 0.5`, `-num(b)`,
	`a == "x" and b > 1`, `a == "x" or b > 1`, `not (a == "x")`, `a == "x" ? b : a`, `a ?? b ?? "none"`, `b > 1 ? "yes" : "no"`, `upper(a ?? b)`,
	`ref("units", a).name`, `ref("units", b)?.size`,
}

var rows = [][]string{
	{"x", "5"},
	{"y/z", "-6.25"},
	{"", ""},
	{"2026-03-05", "12345"},
	{"20260305", "x"},
	{"é/ß/ü", "1e3"},
	{"", "7"},
	{"q", ""},
	{"2026-03-05T08:30:00Z", "0"},
	{" / ", "9223372036854775807"},
	{"a/b/c", "036 1"},
	{"true", "false"},
}

// TestVirtualMachineAgrees: what is lowered to native ops and what the expr VM computes is the same, but that a condition
// that is null is false in the VM.
func TestVirtualMachineAgrees(t *testing.T) {
	t.Parallel()
	set, faults := metadata.Load(mapFS(map[string]string{
		"ref/units.csv":                "code,name,size\nx,ex,1\n5,five,\n",
		"customers/acme/customer.yaml": "customer: acme\nname: Acme\nzone: America/New_York\n",
	}))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	p := &Program{set: set, feed: &metadata.Feed{}, refs: &refNames{}}
	f := &frame{bindings: &bindings{}, empty: newEmptyWords(nil)}
	for _, src := range expressions {
		scope := &fields{slots: map[string]int{"a": 0, "b": 1}, used: map[int]struct{}{}}
		c := &lowerer{set: set, scope: scope, refs: p.refs}
		native, err := c.compile(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		tree, err := parser.ParseWithConfig(src, language())
		if err != nil {
			t.Fatal(err)
		}
		vm, err := c.virtual(tree.Node)
		if err != nil {
			t.Fatalf("%s in the VM: %v", src, err)
		}
		f.bindings.bind(p, set.Customers[0], nil, Origin{})
		for _, row := range rows {
			f.next(&format.Row{Fields: [][]byte{[]byte(row[0]), []byte(row[1])}})
			got, want := native.eval(f), vm.eval(f)
			if native.result() == boolean && got.kind == null && strings.ContainsAny(src, "<>") {
				got, want = boolOf(false), boolOf(want.isTrue())
			}
			if got.kind != want.kind || string(got.appendText(nil)) != string(want.appendText(nil)) {
				t.Errorf("%s with a = %q, b = %q: native %d %q, VM %d %q", src, row[0], row[1], got.kind, got.appendText(nil), want.kind, want.appendText(nil))
			}
			if k := native.result(); k != unknown && got.kind != null && got.kind != bad && got.kind != k {
				t.Errorf("%s with a = %q, b = %q: kind %d, not %d as said", src, row[0], row[1], got.kind, k)
			}
		}
	}
}

// TestVirtualMachineIsBounded: what could run for long or use much memory is refused when the metadata is loaded.
func TestVirtualMachineIsBounded(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`1..1000000`, `count(1..1000000, true)`, `all([1], any([2], # == 1))`, `repeat(a, 1000000)`, `map([1], # + 1)`, `sortBy([1], #)`,
		`reduce([1], #)`, `groupBy([1], #)`, `now()`, `date(a)`, `fromJSON(a)`, `toJSON(a)`, `$env`, `a.b()`, `frame`, `a[0:1000]`,
		strings.Repeat(`(`, 9000), `[` + strings.Repeat(`1,`, 600) + `1]`,
	} {
		c := &lowerer{set: &metadata.Set{}, scope: &fields{slots: map[string]int{"a": 0}, used: map[int]struct{}{}}, refs: &refNames{}}
		if _, err := c.compile(src); err == nil {
			t.Errorf("%.40s is taken", src)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, src := range expressions {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		c := &lowerer{set: &metadata.Set{}, scope: &fields{slots: map[string]int{"a": 0, "b": 1}, used: map[int]struct{}{}}, refs: &refNames{}}
		o, err := c.compile(src)
		if err != nil {
			return
		}
		fr := &frame{bindings: &bindings{}, empty: newEmptyWords(nil)}
		fr.bindings.bind(&Program{feed: &metadata.Feed{}, refs: &refNames{}}, &metadata.Customer{ID: "acme"}, nil, Origin{})
		for _, row := range rows {
			fr.next(&format.Row{Fields: [][]byte{[]byte(row[0]), []byte(row[1])}})
			o.eval(fr)
		}
	})
}
