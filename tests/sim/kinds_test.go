package sim

import (
	"crypto/rand"
	"os"
	"testing"

	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform"
)

// kind is what a world reads: uploads by their names in landing, and what must become of them.
type kind struct {
	engine  ingest.Engine
	tables  []lake.Schema
	uploads [][2]string // name, content
	goal    goal
}

// small is the kind that costs little and has every outcome.
func small() kind {
	return kind{
		engine: smallEngine{}, tables: smallTables(),
		uploads: [][2]string{
			{"one.txt@1", "rows a b"},
			{"two.txt@2", "rows c"},
			{"three.txt@3", "reject d"},
			{"again.txt@4", "rows a b"}, // the same bytes under another name
			{"poison.txt@5", "poison"},
			{"nobody.bin@6", "rows e"},
			{"killer.txt@7", "killer"},
		},
		goal: goal{loads: 3, quarantine: map[string]int{"malformed": 1, "unknown_feed": 1, "crashed": 1}},
	}
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
		}, lock.Options{Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		return string(z)
	}
	nothing, err := lock.Zip([]lock.File{{Name: "readme.txt", Data: []byte("hello")}}, lock.Options{Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	k.uploads = [][2]string{
		{"visits/one.zip@1", pack("V1,A01,3\n", "B1")},
		{"visits/two.zip@2", pack("V2,A01,3\nV3,A01,many\n", "B2")},
		{"visits/three.zip@3", pack("V4,TEST,3\nV5,A01,3\n", "B3")},
		{"visits/again.zip@4", pack("V1,A01,3\n", "B1")},
		{"visits/hello.zip@5", "hello"},
		{"letters/six.zip@6", "hello"},
		{"visits/seven.zip@7", string(nothing)},
	}
	return k
}
