package erase_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	random "math/rand/v2"
	"slices"
	"strings"
	"testing"

	"medlake/functions/erase"
	"medlake/shared/archive"
	"medlake/shared/archive/lock"
	"medlake/shared/format"
	"medlake/shared/format/csv"
	"medlake/shared/lake"
)

// read gives the records of an upload's texts, and other members as one record each.
func read(t *testing.T, data []byte, cfg csv.Config) (out []string) {
	t.Helper()
	a, err := archive.Open(data, []string{"now"}, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, m := range a.Members() {
		if !strings.HasSuffix(m.Name(), ".csv") {
			out = append(out, m.Name())
			continue
		}
		d, err := cfg.NewDecoder([]string{"id", "name"})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(m, func(r *format.Row) error {
			out = append(out, fmt.Sprintf("%s %q", m.Name(), r.Fields))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func upload(data []byte, cfg csv.Config) erase.Upload {
	return erase.Upload{
		Data: data, Passwords: []string{"now", "before"}, Random: rand.Reader,
		Text: func(m *archive.Member) (csv.Config, bool) { return cfg, strings.HasSuffix(m.Name(), ".csv") },
	}
}

// TestWithoutLeavesExactlyTheOtherRecords takes random records out of random uploads.
func TestWithoutLeavesExactlyTheOtherRecords(t *testing.T) {
	t.Parallel()
	cfg := csv.Config{Quote: '"'}
	for seed := range uint64(40) {
		r := random.New(random.NewPCG(seed, 1))
		records, want := erase.Records{}, []string(nil)
		var files []lock.File
		for entry := range 1 + r.IntN(5) {
			name := fmt.Sprintf("f%d.csv", entry)
			if r.IntN(4) == 0 {
				name = fmt.Sprintf("f%d.xml", entry)
				files = append(files, lock.File{Name: name, Data: []byte("<a/>")})
				if r.IntN(2) == 0 {
					records[entry] = map[int64]bool{7: true}
				} else {
					want = append(want, name)
				}
				continue
			}
			text := "id,name\r\n"
			for row := range int64(r.IntN(30)) {
				value := strings.Repeat("line\r\n\"\"quoted\"\", ", r.IntN(3))
				text += fmt.Sprintf("%d,\"%s\"%s", row, value, []string{"\n", "\r\n"}[r.IntN(2)])
				if r.IntN(3) > 0 {
					want = append(want, fmt.Sprintf("%s %q", name, []string{fmt.Sprint(row), strings.ReplaceAll(value, `""`, `"`)}))
					continue
				}
				if records[entry] == nil {
					records[entry] = map[int64]bool{}
				}
				records[entry][row+1] = true
			}
			files = append(files, lock.File{Name: name, Data: []byte(text)})
		}
		data, err := lock.Zip(files, lock.Options{Cipher: lock.Cipher(r.IntN(3)), Password: "before", Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		out, err := upload(data, cfg).Without(records)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var got []string
		if out != nil {
			got = read(t, out, cfg)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %q, want %q", seed, got, want)
		}
	}
}

func TestWithoutRecordsThatAreNotThere(t *testing.T) {
	t.Parallel()
	data := zipped(t, lock.AES256, "now", "f.csv", "id,name\n1,x\n")
	for name, records := range map[string]erase.Records{
		"no such record": {0: {2: true}},
		"no such entry":  {0: {1: true}, 1: {1: true}},
	} {
		if out, err := upload(data, csv.Config{}).Without(records); out != nil || !errors.Is(err, erase.ErrMisplaced) {
			t.Errorf("%s: got %d bytes, %v", name, len(out), err)
		}
	}
	if out, err := upload(data, csv.Config{}).Without(erase.Records{0: {0: true}}); out != nil || err != nil {
		t.Errorf("a member as a whole: got %d bytes, %v", len(out), err)
	}
}

// rows are a patient's, of customer a.
type rows struct {
	list []erase.Row
	err  error
}

func (r rows) Rows(_ context.Context, customer, _ string) iter.Seq2[erase.Row, error] {
	return func(yield func(erase.Row, error) bool) {
		for _, row := range r.list {
			if customer == "a" && !yield(row, nil) {
				return
			}
		}
		if r.err != nil {
			yield(erase.Row{}, r.err)
		}
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	in := rows{list: []erase.Row{{"l1", 0, 3}, {"l2", 4, 1}, {"l1", 0, 3}, {"l1", 0, 5}, {"l1", 2, 1}}}
	got, err := erase.Locate(t.Context(), in, "a", patient)
	want := map[string]erase.Records{"l1": {0: {3: true, 5: true}, 2: {1: true}}, "l2": {4: {1: true}}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := erase.Locate(t.Context(), in, "b", patient); err != nil || len(got) != 0 {
		t.Errorf("another customer: got %v, %v", got, err)
	}
	stop := errors.New("stop")
	if _, err := erase.Locate(t.Context(), rows{err: stop}, "a", patient); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if _, err := erase.Locate(t.Context(), in, "a", ""); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
