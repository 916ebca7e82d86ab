package metadata

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones must load on machines without a zone database

	"medlake/shared/lake"
)

func (l *loader) readCustomers() {
	entries, err := fs.ReadDir(l.fsys, "customers")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.add(Pos{"customers", 1}, "cannot be listed: %v", cause(err))
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		dir := path.Join("customers", e.Name())
		file := path.Join(dir, "customer.yaml")
		if !slices.Contains(l.glob(dir, ".yaml"), file) {
			l.add(Pos{file, 1}, "the file is missing: each folder of customers has one")
			continue
		}
		each(l, []string{file}, func(y *customerYAML, _ bool) {
			l.set.Customers = append(l.set.Customers, l.customer(y, e.Name()))
		})
	}
}

func (l *loader) customer(y *customerYAML, dir string) *Customer {
	c := &Customer{Pos: y.Pos, ID: y.Customer.Value, Name: y.Name.Value, Zone: time.UTC, Contacts: map[string]string{}}
	switch {
	case !y.Customer.set():
		l.add(y.Pos, "customer is missing: write the customer's id")
	case !lake.ValidCustomer(c.ID):
		l.add(y.Customer.Pos, "customer %q is not an id: up to 63 lower case letters, digits and -, not starting with -", c.ID)
	case c.ID != dir:
		l.add(y.Customer.Pos, "customer %s lies in folder customers/%s: the names must be equal", c.ID, dir)
	}
	if z := l.zone(y.Zone); z != nil {
		c.Zone = z
	}
	for _, e := range y.Contacts {
		c.Contacts[e.Key.Value] = e.Value.Value
	}
	return c
}

func (l *loader) customerIDs() []string {
	ids := map[string]bool{}
	for _, c := range l.set.Customers {
		ids[c.ID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// zone loads a time zone; nil if the key is absent.
func (l *loader) zone(t Text) *time.Location {
	if !t.set() {
		return nil
	}
	z, err := time.LoadLocation(t.Value)
	if err != nil || t.Value == "" || t.Value == "Local" {
		l.add(t.Pos, "there is no time zone %q: write it like America/New_York or UTC", t.Value)
		return nil
	}
	return z
}
