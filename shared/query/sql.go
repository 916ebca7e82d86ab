package query

import (
	"strings"
	"time"
)

// Ident quotes a name for SQL.
func Ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Idents quotes each part of namespace.name.
func Idents(table string) string {
	ns, name, ok := strings.Cut(table, ".")
	if !ok {
		return Ident(table)
	}
	return Ident(ns) + "." + Ident(name)
}

// Literal quotes a text for SQL.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Moment writes a time for SQL, in UTC to the microsecond.
func Moment(t time.Time) string {
	return "TIMESTAMP WITH TIME ZONE " + Literal(t.UTC().Format("2006-01-02 15:04:05.999999+00:00"))
}
