package e2e

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"medlake/shared/archive/lock"
	"medlake/shared/store/fakes3"
)

// TestEraseBesideRun erases patients while the lake serves: uploads of others go on, and are committed, merged, compacted.
func TestEraseBesideRun(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(t *testing.T) string{
		"folder":                 func(t *testing.T) string { return "" },
		"S3 that keeps versions": func(t *testing.T) string { return fakes3.Start(t, true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t)
			l.at = nil
			if url := at(t); url != "" {
				l.at = []string{"MEDLAKE_BUCKET=" + url, "MEDLAKE_CATALOG=sqlite://" + filepath.Join(l.dir, "catalog.db")}
			}
			eraseBesideRun(t, l)
		})
	}
}

const (
	leaving = 2 // patients
	shares  = 5 // uploads that each shares with others
)

func eraseBesideRun(t *testing.T, l *lakeDir) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := &server{t: t, lake: l, pause: time.Second}
	s.start()
	sending := s.send(ctx)
	for n := range leaving {
		patient := fmt.Sprintf("leaves-%d", n)
		s.share(patient, n)
		sent := s.acknowledged.Load()
		out, said, code := l.attempt(t, "erase", "--customer", "acme", "--patient", patient, "--reason", "asked by letter")
		want := fmt.Sprintf("Erased: uploads: %d; of these as a whole: 1; from the others: %d records", shares+1, 2*shares)
		if code != 0 || !bytes.Contains(out, []byte(want)) || bytes.Contains(append(said, out...), []byte(patient)) {
			t.Errorf("exit code %d: %s%s", code, out, said)
		}
		t.Logf("%d other uploads meanwhile: %s", s.acknowledged.Load()-sent, out)
	}
	stop()
	arrivals := sending()
	s.complete(arrivals)
	l.command(t, "merge")
	row := l.ask(t, `SELECT (SELECT count(*) FROM patients) AS p, (SELECT count(*) FROM patients WHERE patient_id LIKE 'stays-%') AS o,
		(SELECT count(*) FROM visits WHERE visit_id LIKE 'w%') AS v, (SELECT count(*) FROM visits_history WHERE visit_id LIKE 'w%' AND patient_id LIKE 'stays-%') AS h`)
	for name, n := range row {
		if string(n) != fmt.Sprint(leaving*shares) {
			t.Errorf("%s: %s rows of others, want %d", name, n, leaving*shares)
		}
	}
	if rejected := l.ask(t, "SELECT count(*) FILTER (status = 'quarantined') AS q, count(*) FILTER (object LIKE '%leaves%') AS o FROM ops.loads"); string(rejected["q"]) != "0" || string(rejected["o"]) != "0" {
		t.Errorf("ops.loads: %s", rejected)
	}
}

// share uploads what a patient shares with others, and a zip that is the patient's alone.
func (s *server) share(patient string, n int) {
	put := func(path, patients, visits string) {
		zip := packed(s.t, lock.AES256, password("acme"), byte(n),
			lock.File{Name: "patients.csv", Data: []byte("Id,BIRTHDATE,LAST\n" + patients)},
			lock.File{Name: "encounters.csv", Data: []byte("Id,START,STOP,PATIENT,ORGANIZATION,ENCOUNTERCLASS,CODE\n" + visits)})
		if _, err := s.put(path, zip); err != nil {
			s.t.Fatal(err)
		}
	}
	visit := func(id, patient string) string {
		return id + ",2026-03-05T08:00:00Z,2026-03-05T09:00:00Z," + patient + ",o,wellness,1\n"
	}
	for i := range shares {
		other := fmt.Sprintf("stays-%d-%d", n, i)
		put(fmt.Sprintf("synthea/shared-%d-%d.zip", n, i), patient+",1990-01-01,X\n"+other+",1991-01-01,Y\n",
			visit(fmt.Sprintf("x%d-%d", n, i), patient)+visit(fmt.Sprintf("w%d-%d", n, i), other))
	}
	put("synthea/of "+patient+".zip", patient+",1990-01-01,Z\n", visit(fmt.Sprintf("y%d", n), patient))
}
