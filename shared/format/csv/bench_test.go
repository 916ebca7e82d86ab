package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"medlake/shared/format"
	"medlake/shared/format/csv"
)

// visits makes a text of n rows of 40 columns in the shape most senders use: byte order mark, CRLF, some quotes.
func visits(n int) (text []byte, columns []string) {
	r := rand.New(rand.NewPCG(2, 3))
	var b bytes.Buffer
	b.WriteString("\xef\xbb\xbf")
	w := stdcsv.NewWriter(&b)
	w.UseCRLF = true
	for i := range 40 {
		columns = append(columns, fmt.Sprintf("column_%d", i))
	}
	write := func(row []string) {
		if err := w.Write(row); err != nil {
			panic(err)
		}
	}
	write(columns)
	words := strings.Fields("pain left acute Oak Franklin care chronic Müller radiating arm")
	row := make([]string, 40)
	for range n {
		for i := range row {
			switch i % 8 {
			case 0:
				row[i] = fmt.Sprint(r.IntN(1e9))
			case 1:
				row[i] = fmt.Sprintf("2026-03-%02dT%02d:30:00Z", 1+r.IntN(28), r.IntN(24))
			case 2:
				row[i] = words[r.IntN(10)] + " " + words[r.IntN(10)] + " " + words[r.IntN(10)]
			case 3:
				row[i] = fmt.Sprintf("%.1f", r.Float64()*100)
			case 4:
				row[i] = ""
			default:
				row[i] = words[r.IntN(10)]
			}
		}
		row[10] = "chest " + words[r.IntN(10)] + ", " + words[r.IntN(10)]
		if r.IntN(8) == 0 {
			row[10] += "\nhx: \"" + words[r.IntN(10)] + "\""
		}
		write(row)
	}
	w.Flush()
	return b.Bytes(), columns
}

// BenchmarkVisits reads 7,200 rows of 40 columns.
func BenchmarkVisits(b *testing.B) {
	const rows = 7200
	text, columns := visits(rows)
	report := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
	}
	b.Run("own", func(b *testing.B) {
		d, err := csv.Config{Quote: '"'}.NewDecoder(columns)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			if err := d.Decode(source{data: text}, func(*format.Row) error { n++; return nil }); err != nil || n != rows {
				b.Fatal(n, err)
			}
		}
		report(b)
	})
	b.Run("encoding-csv", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			r := stdcsv.NewReader(bytes.NewReader(text[3:]))
			r.ReuseRecord = true
			n := -1
			for {
				_, err := r.Read()
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != rows {
				b.Fatal(n)
			}
		}
		report(b)
	})
}
