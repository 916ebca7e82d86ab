package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/store"
	"medlake/shared/warehouse/warehousetest"
)

// silent fails if a marker or a password stands in what medlake said.
func silent(t *testing.T, what string, text []byte) {
	t.Helper()
	for _, word := range tellTales() {
		if bytes.Contains(text, []byte(word)) {
			t.Errorf("%s tells %q:\n%s", what, word, text)
		}
	}
}

// tellTales are words that nobody outside the tables and landing may read.
func tellTales() []string {
	words := []string{marker, strings.ToLower(marker), "Zip-Password"}
	for i := range 3 { // bounds of columns are cut and in base 64, at any of three places
		code := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", i) + marker))
		words = append(words, code[4:12])
	}
	return words
}

func (l *lakeDir) bucket(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), warehousetest.Bucket(t, l.dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // only read from
	return b
}

// objects are the objects below a prefix, with their bytes.
func (l *lakeDir) objects(t *testing.T, prefix string) map[string][]byte {
	t.Helper()
	b := l.bucket(t)
	out := map[string][]byte{}
	for o, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		data, err := b.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		out[o.Key] = data
	}
	return out
}

// kept checks that landing holds a customer's uploads, and no others, byte for byte.
func (l *lakeDir) kept(t *testing.T, customer string, all []upload) {
	t.Helper()
	want, got := map[string]string{}, map[string]string{}
	for _, u := range all {
		want[customer+"/"+u.path] = digest(u.data)
	}
	b := l.bucket(t)
	for o, err := range b.List(t.Context(), "landing/"+customer+"/") {
		if err != nil {
			t.Fatal(err)
		}
		data, err := b.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		a := b.Arrival(o)
		got[a.Name()] = digest(data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("landing of %s (-want +got):\n%s", customer, diff)
	}
}

// discreet checks the lake's own objects. The log names uploads by their key in landing, as ops.loads does; nothing else
// may say what a sender said, and not even a key may say what stands in a file.
func (l *lakeDir) discreet(t *testing.T) {
	t.Helper()
	looked := 0
	for key, data := range l.objects(t, "") {
		folder, _, _ := strings.Cut(key, "/")
		if folder == "landing" || folder == "tables" {
			continue
		}
		looked++
		if folder == "log" || folder == "pending" {
			data = withoutKeys(t, data)
		}
		for _, word := range tellTales() {
			if strings.Contains(key, word) || bytes.Contains(data, []byte(word)) {
				t.Errorf("object %s tells %q", key, word)
			}
		}
	}
	if looked < 10 {
		t.Errorf("looked at %d objects only", looked)
	}
}

// withoutKeys is an object of the log without the keys of uploads.
func withoutKeys(t *testing.T, data []byte) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(x any) {
		switch x := x.(type) {
		case map[string]any:
			if key, _ := x["key"].(string); strings.HasPrefix(key, "landing/") {
				delete(x, "key")
			}
			for _, v := range x {
				walk(v)
			}
		case []any:
			for _, v := range x {
				walk(v)
			}
		}
	}
	walk(doc)
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
