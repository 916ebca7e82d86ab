package transform

import (
	"io/fs"

	"medlake/shared/metadata"
)

// Load reads and compiles the metadata in a folder. It returns all faults of both at once, sorted by place; with a fault
// the library must not be used to load files.
func Load(fsys fs.FS) (*Library, []metadata.Fault) {
	set, faults := metadata.Load(fsys)
	l, more := Compile(set) // also what is good in a set with faults
	return l, metadata.SortFaults(append(faults, more...))
}

// LoadTables is Load for those who keep tables and open no upload: it reads no feeds. The library has no programs.
func LoadTables(fsys fs.FS) (*Library, []metadata.Fault) {
	set, faults := metadata.LoadTables(fsys)
	l, more := compileTables(set)
	return l, metadata.SortFaults(append(faults, more...))
}
