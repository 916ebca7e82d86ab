package demo

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"time"

	"medlake/shared/archive/lock"
)

// stay is an emergency encounter of the samples, told again as the events an urgent care clinic would send.
type stay struct {
	visit, facility, patient string
	start                    time.Time
}

// event is a line about a stay, so long after its start.
func (s stay) event(event string, after time.Duration, bed string) string {
	return strings.Join([]string{
		s.visit, s.facility, s.patient, event, s.start.Add(after).Format("01/02/2006 15:04"), "", bed,
	}, "|") + "\n"
}

// stays reads the emergency encounters of the samples.
func stays() ([]stay, error) {
	files, err := members("synthea", []string{"encounters.csv"})
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(files[0].Data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read sample encounters: %w", err)
	}
	var all []stay
	for _, r := range rows {
		if r[7] != "emergency" {
			continue
		}
		start, err := time.Parse(time.RFC3339, r[1])
		if err != nil {
			return nil, fmt.Errorf("read sample encounters: %w", err)
		}
		n := len(all)
		all = append(all, stay{fmt.Sprintf("ER-%d", n+1), fmt.Sprintf("F%d", n%3+1), r[3], start})
	}
	if len(all) < 4 {
		return nil, fmt.Errorf("%d emergency encounters in the samples, want 4", len(all))
	}
	return all, nil
}

// bulletin is one file of events.
type bulletin struct{ path, note, lines string }

// bulletins are three files of events about the same visits: the second changes what the first said, and the third
// comes late and takes things back.
func bulletins() ([]bulletin, error) {
	s, err := stays()
	if err != nil {
		return nil, err
	}
	const h = time.Hour
	return []bulletin{
		{"visits/1-admitted.zip", "four patients are admitted", s[0].event("A01", 0, "E-1") + s[1].event("A01", 0, "E-2") + s[2].event("A01", 0, "E-3") + s[3].event("A01", 0, "E-4")},
		{"visits/2-changed.zip", "two are discharged, one admission is cancelled", s[0].event("A03", 9*h, "") + s[3].event("A03", 6*h, "") + s[2].event("A11", 2*h, "")},
		{"visits/3-late.zip", "a transfer told late, a discharge cancelled", s[0].event("A02", 4*h, "I-7") + s[3].event("A13", 7*h, "E-4") + s[1].event("A02", 3*h, "I-2")},
	}, nil
}

// file is the bulletin as the member of an archive.
func (b bulletin) file() lock.File {
	return lock.File{Name: "visits.csv", Data: []byte("visit_no|fac_code|mrn|event|event_dt|dob|bed\n" + b.lines)}
}
