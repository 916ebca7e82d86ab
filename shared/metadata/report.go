package metadata

func (l *loader) readReports() {
	taken := map[string]Pos{}
	each(l, l.glob("reports", ".yaml"), func(y *reportYAML, _ bool) {
		l.named(y.Report, y.Pos, "report", taken)
		if !y.SQL.set() {
			l.add(y.Pos, "the report has no sql")
		}
		checks := &Table{}
		seen := map[string]Pos{}
		for _, c := range y.Checks {
			l.check(checks, c, seen)
		}
		for _, n := range y.Needs {
			l.tableOf(n.Key)
			l.age(n.Value)
		}
		l.set.Reports = append(l.set.Reports, &Report{Pos: y.Pos, Name: y.Report.Value, Doc: y.Doc.Value, Every: y.Every.Value, SQL: y.SQL.Value})
	})
}

// tableOf finds the table a text names, or says that there is none.
func (l *loader) tableOf(t Text) *Table {
	if found := l.set.Table(t.Value); found != nil {
		return found
	}
	var known []string
	for _, x := range l.set.Tables {
		if x.Namespace == "lake" {
			known = append(known, x.Name)
		} else {
			known = append(known, x.ID())
		}
	}
	l.add(t.Pos, "there is no table %s%s", t.Value, Meant(t.Value, known))
	return nil
}
