package sim

import (
	crypto "crypto/rand"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"medlake/functions/ingest"
	"medlake/functions/merge"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform"
)

// kind is what a world reads: uploads by their names in landing, and what must become of them.
type kind struct {
	engine   ingest.Engine
	small    bool          // the oracle can read the uploads
	replays  bool          // with the later metadata
	folds    []merge.Table // versions of the table that changes; nil: there is none
	patients *patients     // one of whom is erased; nil: nobody is
	tables   []lake.Schema
	uploads  [][2]string // <customer>/<name>, content
	goal     goal
}

// small is the kind that costs little and has every outcome: few keys, whose rows come late, tie, delete what is not there
// yet, and come again.
func small(seed uint64) kind {
	r := rand.New(rand.NewPCG(seed, 8))
	k := kind{
		engine: smallEngine{}, small: true, replays: true, folds: []merge.Table{changing}, tables: append(smallTables[:len(smallTables):len(smallTables)], changing.Current),
		goal: goal{quarantine: map[string]int{}},
	}
	if r.IntN(2) == 0 {
		k.folds = append(k.folds, changingLater)
	}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	changes := func(text string) string {
		for range r.IntN(5) {
			text += " " + strings.Join([]string{
				pick("p", "q", "r"), pick("", "1", "2", "3"), pick("in", "in", "move", "del", "bad"), pick("", "x", "y"), pick("", "b1", "b2"),
			}, ",")
		}
		return text
	}
	one := changes("rows a b")
	k.uploads = [][2]string{
		{"acme/one.txt@1", one},
		{"acme/two.txt@2", changes("rows c")},
		{"acme/three.txt@3", changes("reject d")},
		{"acme/again.txt@4", one}, // the same bytes under another name
		{"bolt/one.txt@5", one},   // and another customer's
		{"acme/poison.txt@6", changes("poison e")},
		{"acme/four.txt@7", changes("rows")},
	}
	if seed%3 == 0 {
		k.uploads = append(k.uploads, [2]string{"acme/nobody.bin@8", "rows e"}, [2]string{"acme/killer.txt@9", "killer"})
	}
	loads := map[string]bool{}
	for _, u := range k.uploads {
		customer, name, _ := strings.Cut(u[0], "/")
		switch {
		case strings.Contains(name, ".bin"):
			k.goal.quarantine["unknown_feed"]++
		case strings.HasPrefix(u[1], "poison"):
			k.goal.quarantine["malformed"]++
		case u[1] == "killer":
			k.goal.quarantine["crashed"]++
		default:
			loads[customer+u[1]] = true
		}
	}
	k.goal.loads = len(loads)
	return k
}

// zips is locked zips read by metadata.
func zips(t *testing.T) kind {
	t.Helper()
	set, faults := metadata.Load(os.DirFS("../../functions/ingest/testdata/metadata"))
	for _, f := range faults {
		t.Fatal(f)
	}
	library, faults := transform.Compile(set)
	for _, f := range faults {
		t.Fatal(f)
	}
	k := kind{
		engine: ingest.Metadata(library),
		goal:   goal{loads: 3, quarantine: map[string]int{"not_an_archive": 1, "unknown_feed": 1, "no_member": 1}},
	}
	for _, table := range set.Tables {
		k.tables = append(k.tables, table.Schema())
	}
	pack := func(visits, bed string) string {
		z, err := lock.Zip([]lock.File{
			{Name: "visits.csv", Data: []byte("visit_id,event,beds\n" + visits)}, {Name: "beds.csv", Data: []byte("bed\n" + bed + "\n")},
		}, lock.Options{Random: crypto.Reader})
		if err != nil {
			t.Fatal(err)
		}
		return string(z)
	}
	nothing, err := lock.Zip([]lock.File{{Name: "readme.txt", Data: []byte("hello")}}, lock.Options{Random: crypto.Reader})
	if err != nil {
		t.Fatal(err)
	}
	k.uploads = [][2]string{
		{"acme/visits/one.zip@1", pack("V1,A01,3\n", "B1")},
		{"acme/visits/two.zip@2", pack("V2,A01,3\nV3,A01,many\n", "B2")},
		{"acme/visits/three.zip@3", pack("V4,TEST,3\nV5,A01,3\n", "B3")},
		{"acme/visits/again.zip@4", pack("V1,A01,3\n", "B1")},
		{"acme/visits/hello.zip@5", "hello"},
		{"acme/letters/six.zip@6", "hello"},
		{"acme/visits/seven.zip@7", string(nothing)},
	}
	return k
}
