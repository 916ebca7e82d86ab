// Package demo is what the tour sends: sample records packed into locked zips for three customers, as senders would make
// them, and the questions it asks afterwards.
package demo

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"medlake/shared/archive/lock"
)

//go:embed samples
var samples embed.FS

// Parcel is one upload.
type Parcel struct {
	Customer string
	Path     string // below the customer's landing folder
	Note     string // what is worth knowing about it
	Data     []byte
}

// Customers are the senders, with the password their zips are locked with.
func Customers() map[string]string {
	return map[string]string{"acme": "urgent-Care-7421", "stmary": "Hospital-of-stMary-58", "lakeside": "lakeside/Nursing/9930"}
}

// Parcels packs the samples. Two of the parcels are there to show what happens to them.
func Parcels() ([]Parcel, error) {
	plan := []struct {
		customer, path, note, folder string
		cipher                       lock.Cipher
		members                      []string // of the folder; empty: all
	}{
		{"acme", "synthea/registration.zip", "CSV, AES-256", "synthea", lock.AES256, []string{"organizations.csv", "providers.csv", "payers.csv", "patients.csv", "payer_transitions.csv"}},
		{"acme", "synthea/clinical.zip", "CSV, AES-256", "synthea", lock.AES256, []string{"encounters.csv", "conditions.csv", "observations.csv", "medications.csv", "procedures.csv", "immunizations.csv", "allergies.csv", "careplans.csv", "devices.csv", "imaging_studies.csv", "supplies.csv"}},
		{"acme", "synthea/billing.zip", "CSV, ZipCrypto", "synthea", lock.ZipCrypto, []string{"claims.csv", "claims_transactions.csv"}},
		{"stmary", "ccda/documents.zip", "C-CDA XML, ZipCrypto", "ccda", lock.ZipCrypto, nil},
		{"lakeside", "medicare/claims.zip", "pipe-delimited text, AES-256", "medicare", lock.AES256, nil},
		{"acme", "synthea/billing-again.zip", "the billing file again, locked anew with AES-256", "synthea", lock.AES256, []string{"claims.csv", "claims_transactions.csv"}},
	}
	var parcels []Parcel
	for _, p := range plan {
		files, err := members(p.folder, p.members)
		if err != nil {
			return nil, err
		}
		data, err := locked(p.customer, p.cipher, files...)
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", p.path, err)
		}
		parcels = append(parcels, Parcel{p.customer, p.path, p.note, data})
	}
	whole := parcels[3].Data
	parcels = append(parcels, Parcel{"stmary", "ccda/cut.zip", "a zip that was cut on the way", bytes.Clone(whole[:len(whole)/2])})
	told, err := bulletins()
	if err != nil {
		return nil, err
	}
	for _, b := range told {
		data, err := locked("acme", lock.AES256, b.file())
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", b.path, err)
		}
		parcels = append(parcels, Parcel{"acme", b.path, b.note, data})
	}
	return parcels, nil
}

// locked packs files for a customer.
func locked(customer string, cipher lock.Cipher, files ...lock.File) ([]byte, error) {
	return lock.Zip(files, lock.Options{
		Cipher: cipher, Password: Customers()[customer], Random: rand.Reader, Modified: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC),
	})
}

func members(folder string, names []string) ([]lock.File, error) {
	entries, err := fs.ReadDir(samples, path.Join("samples", folder))
	if err != nil {
		return nil, err
	}
	var files []lock.File
	for _, e := range entries {
		if len(names) > 0 && !slices.Contains(names, e.Name()) {
			continue
		}
		data, err := fs.ReadFile(samples, path.Join("samples", folder, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, lock.File{Name: e.Name(), Data: data})
	}
	return files, nil
}
