package store

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// The layout of the bucket. Everything but the landing area belongs to the lake alone.
//
//	landing/<customer>/<date>/<path>/<name>@<id>   what senders sent, as they sent it; never changed
//	landing/<customer>/<path>/<name>               what senders put there themselves
//	loads/<load>                                   the record of a load: the commit point of ingest
//	arrivals/<arrival>                             the base of an arrival that met an existing load
//	pending/<arrival>.<epoch>                      processed arrivals on their way into the log
//	log/<n>                                        the log, n in 12 digits from 000000000001, without holes
//	folded/<from>-<to>                             entries of the log that lie together; log/<n> says so
//	folded/<from>                                  where those that begin with one end
//	folded/<from>-<to>.<n>                         what they are to forget, by ids
//	hint                                           a number of the log that exists; only to start the search
//	attempts/<arrival>/<n>                         an arrival was tried again
//	schemas/<table>/<n>                            how data files of a table are written, n in 6 digits
//	tables/<namespace>/<table>/                    data/ and metadata/ of an Iceberg table
const (
	LandingPrefix = "landing/"
	PendingPrefix = "pending/"
	LogPrefix     = "log/"
	FoldedPrefix  = "folded/"
	SchemasPrefix = "schemas/" // a folder a table
)

// LandingKey is where an upload goes. The name may have folders in it; id makes the key unique. What a name cannot hold
// (empty parts, "." and "..", backslashes, control characters, very long parts) is replaced, so that every sender's name
// has a key.
func LandingKey(customer string, at time.Time, name, id string) string {
	return LandingPrefix + path.Join(customer, at.UTC().Format(time.DateOnly), cleanName(name)) + "@" + id
}

// maxPart bounds a part of a name in bytes, below what file systems allow for a name with its id.
const maxPart = 160

func cleanName(name string) string {
	var parts []string
	for p := range strings.SplitSeq(strings.ToValidUTF8(name, "_"), "/") {
		p = strings.Map(func(r rune) rune {
			if r < 0x20 || r == 0x7f || r == '\\' || r == '%' {
				return '_'
			}
			return r
		}, p)
		if len(p) > maxPart { // keep the end: feeds match on it
			p = strings.ToValidUTF8(p[:maxPart/2], "") + strings.ToValidUTF8(p[len(p)-maxPart/2:], "")
		}
		if p != "" && p != "." && p != ".." {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return "_"
	}
	return strings.Join(parts, "/")
}

// LoadKey is the record of a load.
func LoadKey(load string) string { return "loads/" + load }

// ArrivalKey is the base of an arrival that did not make the record of its load.
func ArrivalKey(arrival string) string { return "arrivals/" + arrival }

// PendingKey is a processed arrival that is not in the log yet.
func PendingKey(arrival string, epoch int64) string {
	return fmt.Sprintf("%s%s.%d", PendingPrefix, arrival, epoch)
}

// LogKey is entry n of the log.
func LogKey(n int64) string { return fmt.Sprintf("%s%012d", LogPrefix, n) }

// FoldedKey is the group of log entries from one number to another.
func FoldedKey(from, to int64) string { return fmt.Sprintf("%s%012d-%012d", FoldedPrefix, from, to) }

// CutKey says where the group of log entries ends that begins with one.
func CutKey(from int64) string { return fmt.Sprintf("%s%012d", FoldedPrefix, from) }

// WishKey is the nth of what a group of log entries is to forget.
func WishKey(from, to int64, n int) string { return fmt.Sprintf("%s.%d", FoldedKey(from, to), n) }

// HintKey is a number of the log that exists.
func HintKey() string { return "hint" }

// AttemptPrefix holds what says how often an arrival was tried.
func AttemptPrefix(arrival string) string { return "attempts/" + arrival + "/" }

// AttemptKey says that an arrival was tried for the nth time.
func AttemptKey(arrival string, n int) string { return fmt.Sprintf("%s%d", AttemptPrefix(arrival), n) }

// SchemaPrefix holds the schemas of a table, in order.
func SchemaPrefix(table string) string { return SchemasPrefix + table + "/" }

// SchemaKey is schema n of a table.
func SchemaKey(table string, n int) string { return fmt.Sprintf("%s%06d", SchemaPrefix(table), n) }

// TablePrefix is the folder of a table, namespace.table. Data files are below data/, Iceberg's own below metadata/.
func TablePrefix(table string) string {
	return "tables/" + strings.Replace(table, ".", "/", 1) + "/"
}
