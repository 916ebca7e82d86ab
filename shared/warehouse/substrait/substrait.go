// Package substrait stands in for the module of that name, which iceberg-go links to filter what it scans: 240 kB of YAML,
// parsed at every start of every process, before main, for 80 ms of processor time and 32 MB. We scan nothing through
// iceberg-go, so here is the same with one function, by which our tests have iceberg-go delete rows as others would.
package substrait

import "embed"

//go:embed extensions/*
var extensions embed.FS

// GetSubstraitExtensionsFS is all of the module that is called.
func GetSubstraitExtensionsFS() embed.FS { return extensions }
