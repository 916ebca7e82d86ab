package metadata

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"medlake/shared/lake"
)

// faults collects what is wrong.
type faults struct{ list []Fault }

func (f *faults) add(p Pos, format string, args ...any) {
	f.list = append(f.list, Fault{p, fmt.Sprintf(format, args...)})
}

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
// ref/*.csv. It returns all faults at once, sorted by place; with a fault the set is nil.
func Load(fsys fs.FS) (*Set, []Fault) {
	l := &loader{fsys: fsys, set: &Set{refs: map[string]*Ref{}, shapes: map[string]*Ref{facilitiesRef: emptyFacilities()}}}
	l.readTables()
	l.readCustomers()
	l.readRefs()
	l.readFeeds()
	l.readReports()
	if len(l.files) == 0 && len(l.faults.list) == 0 {
		l.faults.add(Pos{".", 1}, "no metadata here: feeds/*.yaml, tables/*.yaml and customers/<id>/customer.yaml are wanted")
	}
	if len(l.faults.list) > 0 {
		return nil, SortFaults(l.faults.list)
	}
	l.set.Version = lake.Hash(append([]string{"metadata"}, l.files...)...)
	return l.set, nil
}

// loader reads one set.
type loader struct {
	fsys  fs.FS
	set   *Set
	files []string // name, content, name, content …: hashed into the version
	faults
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

// each reads every YAML file of a folder into a struct of its own and hands it on.
func each[T any](l *loader, files []string, use func(y *T)) {
	for _, name := range files {
		text, ok := l.read(name)
		if !ok {
			continue
		}
		y := new(T)
		d := &decoder{file: name, faults: &l.faults}
		if d.parse(text, y); d.usable {
			use(y)
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
