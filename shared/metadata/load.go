package metadata

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"medlake/shared/lake"
)

// faults collects what is wrong.
type faults struct{ list []Fault }

func (f *faults) add(p Pos, format string, args ...any) {
	f.list = append(f.list, Fault{p, fmt.Sprintf(format, args...)})
}

// Faults are the faults of a set of metadata as one error, each on a line with its place.
type Faults []Fault

func (f Faults) Error() string {
	var b strings.Builder
	b.WriteString("the metadata has a fault")
	if len(f) != 1 {
		b.Reset()
		fmt.Fprintf(&b, "the metadata has %d faults", len(f))
	}
	for _, x := range f {
		b.WriteString("\n" + x.Error())
	}
	return b.String()
}

// Unwrap makes faults a lake.ErrInvalid.
func (Faults) Unwrap() error { return lake.ErrInvalid }

// SortFaults puts faults in the order of files and lines and drops repetitions. Transform uses it for its own.
func SortFaults(list []Fault) []Fault {
	slices.SortStableFunc(list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(list)
}

// maxFile is the largest metadata file that is read.
const maxFile = 64 << 20

// Load reads feeds/*.yaml, tables/*.yaml, reports/*.yaml, customers/<id>/customer.yaml with the CSV files beside it, and
// ref/*.csv. It returns all faults at once, sorted by place. With a fault the set holds only what has none: it can be
// compiled to find more faults, but must not be used to load files, and has no Version.
func Load(fsys fs.FS) (*Set, []Fault) {
	l := load(fsys)
	l.readFeeds()
	l.readReports()
	set, faults := l.done()
	if len(faults) == 0 {
		set.Version = lake.Hash(append([]string{"metadata"}, l.files...)...)
	}
	return set, faults
}

// LoadTables is Load for those who keep tables: it reads no feeds and no reports. The set has none, and no Version.
func LoadTables(fsys fs.FS) (*Set, []Fault) { return load(fsys).done() }

// load reads what feeds and reports refer to.
func load(fsys fs.FS) *loader {
	l := &loader{
		fsys: fsys, set: &Set{refs: map[string]*Ref{}, shapes: map[string]*Ref{facilitiesRef: emptyFacilities()}},
		keys: map[reflect.Type][]key{}, faultyTables: map[*Table]bool{}, faultyFeeds: map[*Feed]bool{},
	}
	l.readTables()
	before := len(l.list)
	l.readCustomers()
	l.readRefs()
	l.faultyCustomers = len(l.list) > before
	return l
}

func (l *loader) done() (*Set, []Fault) {
	if len(l.files) == 0 && len(l.list) == 0 {
		l.add(Pos{".", 1}, "no metadata here: feeds/*.yaml, tables/*.yaml and customers/<id>/customer.yaml are wanted")
	}
	if len(l.list) > 0 {
		return l.good(), SortFaults(l.list)
	}
	return l.set, nil
}

// loader reads one set.
type loader struct {
	fsys  fs.FS
	set   *Set
	files []string // name, content, name, content …: hashed into the version
	keys  map[reflect.Type][]key
	faults

	faultyTables    map[*Table]bool
	faultyFeeds     map[*Feed]bool
	faultyCustomers bool // customers or references: samples may go wrong because of them
}

// good is the set without what has faults, and without what depends on that.
func (l *loader) good() *Set {
	s := &Set{Customers: l.set.Customers, refs: l.set.refs, shapes: l.set.shapes}
	for _, t := range l.set.Tables {
		if !l.faultyTables[t] {
			s.Tables = append(s.Tables, t)
		}
	}
	for _, f := range l.set.Feeds {
		lost := slices.ContainsFunc(f.Into, func(in *Into) bool { return s.Table(in.Table) == nil })
		if !lost && !l.faultyFeeds[f] && !l.faultyCustomers {
			s.Feeds = append(s.Feeds, f)
		}
	}
	return s
}

// glob lists the files of a folder that end in ext.
func (l *loader) glob(dir, ext string) []string {
	entries, err := fs.ReadDir(l.fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		l.add(Pos{dir, 1}, "cannot be listed: %v", cause(err))
		return nil
	}
	var out []string
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case path.Ext(name) == ext:
			out = append(out, name)
		case ext == ".yaml" && path.Ext(name) == ".yml":
			l.add(Pos{name, 1}, "the file is not read: its name must end in .yaml")
		}
	}
	return out
}

// read returns a file's text, without a byte order mark.
func (l *loader) read(name string) (string, bool) {
	info, err := fs.Stat(l.fsys, name)
	if err == nil && info.Size() > maxFile {
		err = errors.New("the file is larger than 64 MiB")
	}
	var data []byte
	if err == nil {
		data, err = fs.ReadFile(l.fsys, name)
	}
	if err != nil {
		l.add(Pos{name, 1}, "cannot be read: %v", cause(err))
		return "", false
	}
	l.files = append(l.files, name, string(data))
	return strings.TrimPrefix(string(data), "\ufeff"), true
}

// cause is the part of an error that does not name the file again.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// each reads every YAML file of a folder into a struct of its own and hands it on; faulty says whether keys or values have
// faults already.
func each[T any](l *loader, files []string, use func(y *T, faulty bool)) {
	for _, name := range files {
		text, ok := l.read(name)
		if !ok {
			continue
		}
		before := len(l.list)
		y := new(T)
		d := &decoder{file: name, faults: &l.faults, known: l.keys}
		if d.parse(text, y); d.usable {
			use(y, len(l.list) > before)
		}
	}
}

// or returns the value of a key, or def if the key is absent.
func (t Text) or(def string) string {
	if t.set() {
		return t.Value
	}
	return def
}

// named checks that an object has a good name of its own, and says so once.
func (l *loader) named(t Text, file Pos, what string, taken map[string]Pos) bool {
	switch {
	case !t.set():
		l.add(file, "%s is missing: what is this called?", what)
	case !isName(t.Value):
		l.add(t.Pos, "%s %q is not a name: lower case letters, digits and _, starting with a letter", what, t.Value)
	case taken[t.Value].Line > 0:
		l.add(t.Pos, "%s %s stands twice, first in %s", what, t.Value, taken[t.Value])
	default:
		taken[t.Value] = t.Pos
		return true
	}
	return false
}
