package erase

import (
	"regexp"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// What the lake itself has named says nothing of anybody, but there is so much of it that a short value stands in it by
// chance: four digits are a part of some UUID, three letters stand in some load. That would be found for ever, so it is left
// out of the search: folders and names of tables' files, keys outside of landing/, the date folder of an upload, and the
// counts and UUIDs in tables' metadata files.
var (
	ownFile   = regexp.MustCompile(`tables/\w+/\w+/(?:data|metadata)/(?:customer=[\w.-]+/)?(?:month=[\w-]+/)?[\w-]+\.(?:parquet|avro|metadata\.json)`)
	ownKey    = regexp.MustCompile(`^(?:loads|arrivals|pending|log|folded|attempts|schemas|swept|erasures)/[\w.:/~-]+$`)
	ownFigure = regexp.MustCompile(`^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
)

// key looks for the value in a key, or in a text that may be one or have some in it.
func (s *search) key(text string) {
	a := lake.Arrival{Key: text}
	switch sent, is := strings.CutPrefix(text, store.LandingPrefix+a.Customer()+"/"); {
	case is && a.Customer() != "":
		s.text([]byte(strings.TrimPrefix(sent, a.Date()+"/")))
	case !ownKey.MatchString(text):
		s.text(ownFile.ReplaceAllLiteral([]byte(text), []byte("/")))
	}
}

// block looks for the value in bytes in which texts stand without anything between them.
func (s *search) block(b []byte) { s.bytes(ownFile.ReplaceAllLiteral(b, []byte("/"))) }

// inKey reports whether the value stands in what a sender chose of a key.
func (s *search) inKey(key string) bool {
	s.found = false
	s.key(key)
	return s.found
}
