package bench

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"

	"medlake/shared/archive/lock"
)

// stream makes uploads with the company's mix of sizes and kinds: mostly zips of 20 to 300 XML documents, the others CSV and
// text of up to 1,500 rows; 60 % locked with ZipCrypto, 40 % with AES-256. Every upload is new: the locked members of one of
// a set of base archives, and one member that no other upload has.
type stream struct {
	bases []base
	r     *rand.Rand
}

type base struct {
	kind    string // xml, csv or pipe: the folder it is sent to
	cipher  lock.Cipher
	zip     *zip.Reader
	records int
}

const (
	bases     = 40
	recordsOf = 1 // of the new member
)

func newStream(seed uint64) (*stream, error) {
	s := &stream{r: rand.New(rand.NewPCG(seed, 1))}
	for i := range bases {
		b := base{cipher: lock.ZipCrypto}
		if i%5 < 2 {
			b.cipher = lock.AES256
		}
		var files []lock.File
		switch i % 8 {
		case 6:
			b.kind, b.records = "csv", 50+s.r.IntN(1450)
			files = []lock.File{csvFile(seed+uint64(i), b.records)}
		case 7:
			b.kind, b.records = "pipe", 50+s.r.IntN(1450)
			files = []lock.File{pipeFile(seed+uint64(i), b.records)}
		default:
			b.kind, b.records = "xml", 20+s.r.IntN(280)
			files = xmlFiles(seed+uint64(i), b.records)
		}
		data, err := lock.Zip(files, lock.Options{Cipher: b.cipher, Password: password, Random: randomBytes{s.r}})
		if err != nil {
			return nil, err
		}
		if b.zip, err = zip.NewReader(bytes.NewReader(data), int64(len(data))); err != nil {
			return nil, err
		}
		s.bases = append(s.bases, b)
	}
	return s, nil
}

// upload makes upload n: where it is sent, its bytes and its records.
func (s *stream) upload(n int) (path string, data []byte, records int, err error) {
	b := s.bases[n%len(s.bases)]
	var extra lock.File
	seed := uint64(n) + 1_000_000
	switch b.kind {
	case "csv":
		extra = csvFile(seed, recordsOf)
	case "pipe":
		extra = pipeFile(seed, recordsOf)
	default:
		extra = xmlFiles(seed, recordsOf)[0]
	}
	extra.Name = "new-" + extra.Name
	locked, err := lock.Zip([]lock.File{extra}, lock.Options{Cipher: b.cipher, Password: password, Random: randomBytes{s.r}})
	if err != nil {
		return "", nil, 0, err
	}
	one, err := zip.NewReader(bytes.NewReader(locked), int64(len(locked)))
	if err != nil {
		return "", nil, 0, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range append(one.File, b.zip.File...) {
		if err := w.Copy(f); err != nil {
			return "", nil, 0, err
		}
	}
	if err := w.Close(); err != nil {
		return "", nil, 0, err
	}
	return fmt.Sprintf("%s/%d.zip", b.kind, n), out.Bytes(), b.records + recordsOf, nil
}

// randomBytes reads from a seeded source.
type randomBytes struct{ r *rand.Rand }

func (b randomBytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b.r.Uint32())
	}
	return len(p), nil
}
