package xml

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func randomDocument(r *rand.Rand) []byte {
	var b strings.Builder
	var put func(depth int)
	put = func(depth int) {
		name := pick(r, "a", "a", "b", "c")
		b.WriteString("<" + name)
		for _, a := range []string{"x", "y"} {
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, " %s=%q", a, pick(r, "1", "2", "&lt;", ""))
			}
		}
		if r.IntN(8) == 0 {
			b.WriteString("/>")
			return
		}
		b.WriteString(">")
		for range r.IntN(5) {
			switch {
			case r.IntN(3) == 0:
				b.WriteString(pick(r, "1", " 2 ", "&amp;", "<![CDATA[<]]>", "<!-- -->", "\r\n"))
			case depth < 6:
				put(depth + 1)
			}
		}
		b.WriteString("</" + name + ">")
	}
	put(0)
	return []byte(b.String())
}

func randomSteps(r *rand.Rand, most int, preds bool) string {
	var parts []string
	for range 1 + r.IntN(most) {
		s := pick(r, "a", "a", "b", "c", "*")
		for preds && r.IntN(3) == 0 {
			s += "[" + pick(r, "1", "2", "@x", "@x='1'", "@y!='2'", "not(@x)", "not(@x='1')", "b", "not(c)", "a/@x='1'", "b='1'", ".='1'", ".//b", "b[@x]", "a[2]/@y") + "]"
		}
		parts = append(parts, s)
	}
	s := parts[0]
	for _, p := range parts[1:] {
		s += pick(r, "/", "/", "/", "//") + p
	}
	return s
}

func randomEach(r *rand.Rand) string {
	if r.IntN(8) == 0 {
		return ""
	}
	return pick(r, "/", "/", "//") + randomSteps(r, 3, true)
}

func randomField(r *rand.Rand) string {
	term := func() string {
		s := pick(r, "", "", "", ".//", "/", "//", "../", "../../", "..//")
		s += randomSteps(r, 3, true)
		s += pick(r, "", "", "/@x", "/@y")
		switch r.IntN(8) {
		case 0:
			return "count(" + s + ")"
		case 1:
			return "join(" + s + ", ',')"
		case 2:
			return pick(r, ".", "@x", "..", "../@y")
		}
		return s
	}
	s := term()
	for r.IntN(3) == 0 {
		s += " | " + term()
	}
	return s
}
