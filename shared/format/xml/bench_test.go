package xml_test

import (
	"bytes"
	stdxml "encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"medlake/shared/format"
	"medlake/shared/format/xml"
)

// visitFields are the mapped paths of the generated visits.
var visitFields = strings.Fields(`
/Encounter/Header/MessageId /Encounter/Header/MessageTime /Encounter/Facility/@id /Encounter/Facility/Name
/Encounter/Facility/Type /Encounter/Facility/NPI /Encounter/Patient/MRN /Encounter/Patient/Name/Family
/Encounter/Patient/Name/Given /Encounter/Patient/Name/Middle /Encounter/Patient/BirthDate /Encounter/Patient/Sex
/Encounter/Patient/Race /Encounter/Patient/Language /Encounter/Patient/MaritalStatus /Encounter/Patient/Address/Line1
/Encounter/Patient/Address/City /Encounter/Patient/Address/State /Encounter/Patient/Address/Zip /Encounter/Patient/Phone
/Encounter/Insurance/PlanName /Encounter/Insurance/MemberId /Encounter/Visit/VisitNumber /Encounter/Visit/Class
/Encounter/Visit/AdmitTime /Encounter/Visit/DischargeTime /Encounter/Visit/Location/Room /Encounter/Visit/Location/Bed
/Encounter/Visit/Attending/NPI /Encounter/Visit/Attending/Name /Encounter/Visit/ChiefComplaint /Encounter/Vitals/Temp
/Encounter/Vitals/Pulse /Encounter/Vitals/RespRate /Encounter/Vitals/BP/Systolic /Encounter/Vitals/BP/Diastolic
/Encounter/Vitals/SpO2 /Encounter/Vitals/WeightKg /Encounter/Billing/TotalCharge /Encounter/Visit/Readmission
join(/Encounter/Diagnoses/Dx/Code,'|') count(/Encounter/Diagnoses/Dx) /Encounter/Diagnoses/Dx/Description
join(/Encounter/Medications/Med/Name,'|') count(/Encounter/Medications/Med)`)

// visit writes one made-up visit in the shape most senders use: a document a record, indented, CRLF.
func visit(r *rand.Rand) []byte {
	var b bytes.Buffer
	depth := 0
	line := func(format string, a ...any) {
		fmt.Fprintf(&b, strings.Repeat("  ", depth)+format+"\r\n", a...)
	}
	in := func(name string, body func()) {
		line("<%s>", name)
		depth++
		body()
		depth--
		name, _, _ = strings.Cut(name, " ")
		line("</%s>", name)
	}
	word := func(n int) string {
		var w []string
		for range n {
			w = append(w, []string{"pain", "left", "acute", "Oak", "Franklin", "care", "&amp;", "&lt;2cm", "chronic", "M&#252;ller"}[r.IntN(10)])
		}
		return strings.Join(w, " ")
	}
	leaf := func(name string, n int) { line("<%s>%s</%s>", name, word(n), name) }
	digits := func(name string, n int) { line("<%s>%d</%s>", name, r.IntN(n), name) }
	when := func(name string) { line("<%s>2026-03-%02dT%02d:30:00Z</%s>", name, 1+r.IntN(28), r.IntN(24), name) }
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n")
	in(`Encounter xmlns="urn:acme:emr:v2" version="2.3"`, func() {
		in("Header", func() {
			line("<MessageId>%08x-%04x-4%03x-a%03x-%012x</MessageId>", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.IntN(1<<40))
			when("MessageTime")
			line("<Sender>ACME EMR 7.2</Sender>")
		})
		in(fmt.Sprintf(`Facility id="F%06d"`, r.IntN(8000)), func() { leaf("Name", 3); leaf("Type", 1); digits("NPI", 1e9) })
		in("Patient", func() {
			digits("MRN", 1e8)
			in("Name", func() { leaf("Family", 1); leaf("Given", 1); line("<Middle/>") })
			line("<BirthDate>19%02d-03-04</BirthDate>", r.IntN(100))
			for _, n := range []string{"Sex", "Race", "Language", "MaritalStatus"} {
				leaf(n, 1)
			}
			in(`Address type="home"`, func() { leaf("Line1", 3); leaf("City", 1); leaf("State", 1); digits("Zip", 99999) })
			line(`<Phone use="mobile">(%03d) 555-%04d</Phone>`, r.IntN(1000), r.IntN(10000))
		})
		in("Insurance", func() { leaf("PlanName", 3); digits("MemberId", 1e9); line("<Rank>1</Rank>") })
		in("Visit", func() {
			digits("VisitNumber", 1e12)
			leaf("Class", 1)
			when("AdmitTime")
			when("DischargeTime")
			in("Location", func() { digits("Room", 400); leaf("Bed", 1) })
			in("Attending", func() { digits("NPI", 1e9); leaf("Name", 3) })
			leaf("ChiefComplaint", 5)
			line("<Readmission>false</Readmission>")
		})
		in("Vitals", func() {
			line(`<Temp unit="F">%d.%d</Temp>`, 96+r.IntN(8), r.IntN(10))
			digits("Pulse", 130)
			digits("RespRate", 30)
			in("BP", func() { digits("Systolic", 180); digits("Diastolic", 100) })
			digits("SpO2", 100)
			digits("WeightKg", 120)
		})
		in("Diagnoses", func() {
			for i := range 1 + r.IntN(4) {
				in(fmt.Sprintf(`Dx seq="%d"`, i+1), func() { leaf("Code", 1); leaf("Description", 4); line("<POA>Y</POA>") })
			}
		})
		in("Medications", func() {
			for range r.IntN(4) {
				in("Med", func() { leaf("Name", 1); leaf("Dose", 2); leaf("Route", 1) })
			}
		})
		in("Billing", func() {
			line(`<TotalCharge currency="USD">%d.%02d</TotalCharge>`, r.IntN(9000), r.IntN(100))
			leaf("Status", 1)
		})
	})
	return b.Bytes()
}

func visits(n int) (docs [][]byte, size int64) {
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		docs = append(docs, visit(r))
		size += int64(len(docs[len(docs)-1]))
	}
	return docs, size
}

// BenchmarkVisits reads 195 documents of one record and 45 mapped paths each.
func BenchmarkVisits(b *testing.B) {
	docs, size := visits(195)
	for _, ns := range []map[string]string{nil, {"": "urn:acme:emr:v2"}} {
		name := "anyNamespace"
		if ns != nil {
			name = "namespace"
		}
		b.Run(name, func(b *testing.B) {
			d := compile(b, xml.Config{NS: ns, Groups: []xml.Group{{Fields: visitFields}}}).NewDecoder()
			run(b, docs, size, func(doc []byte) error { return d.Decode(source(doc), func(*format.Row) error { return nil }) })
		})
	}
	b.Run("encoding-xml", func(b *testing.B) {
		run(b, docs, size, func(doc []byte) error {
			fields := map[string]string{} // by path: what a plain program keeps
			var path []string
			d := stdxml.NewDecoder(bytes.NewReader(doc))
			for {
				t, err := d.Token()
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
				switch t := t.(type) {
				case stdxml.StartElement:
					path = append(path, t.Name.Local)
				case stdxml.EndElement:
					path = path[:len(path)-1]
				case stdxml.CharData:
					fields[strings.Join(path, "/")] = string(t)
				}
			}
		})
	})
}

func run(b *testing.B, docs [][]byte, size int64, decode func([]byte) error) {
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, doc := range docs {
			if err := decode(doc); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(docs)), "µs/record")
}
