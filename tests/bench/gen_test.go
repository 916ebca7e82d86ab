// Package bench measures the way from zip bytes to Parquet bytes and from upload to query on made-up encounters of a fixed
// seed, beside a naive reference, in one run. It has tests only.
package bench

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"medlake/shared/archive/lock"
)

// header names the flat columns of an encounter, in file order.
var header = strings.Fields(`message_id message_ts facility_id facility_name facility_type facility_npi mrn family_name
	given_name middle_name dob sex race language marital address1 city state zip phone ins_name ins_id visit_number
	visit_class admit_ts discharge_ts room bed attending_npi attending_name chief_complaint temp_f pulse resp_rate bp_sys
	bp_dia spo2 weight_kg total_charge is_readmit`)

var (
	families   = strings.Fields("Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee O'Brien Müller")
	givens     = strings.Fields("James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Ashley José Zoë")
	streets    = strings.Fields("Oak Maple Cedar Pine Elm Washington Lake Hill Walnut Spring Park Main Church")
	cities     = []string{"Springfield IL 62704", "Franklin TN 37064", "Greenville SC 29601", "Bristol CT 06010", "Clinton MS 39056", "Salem OR 97301", "Madison WI 53703", "Dover DE 19901"}
	plans      = []string{"Blue Cross PPO", "Aetna Choice POS II", "Cigna Open Access Plus", "Medicare Part B", "Medicaid Managed Care", "Humana Gold Plus HMO", "Self Pay"}
	kinds      = []string{"UrgentCare", "Hospital", "NursingHome", "ER", "CriticalCare"}
	complaints = []string{"chest pain, radiating to left arm", "shortness of breath on exertion", "fever & cough x 3 days", "fall from standing height, hip pain", "laceration to right hand <2cm", "follow-up: \"wound check\"", "medication refill", "dizziness and headache", "back pain after lifting", "ankle injury - twisted"}
	diagnoses  = [][2]string{{"E11.9", "Type 2 diabetes mellitus without complications"}, {"I10", "Essential (primary) hypertension"}, {"J06.9", "Acute upper respiratory infection, unspecified"}, {"R07.9", "Chest pain, unspecified"}, {"N39.0", "Urinary tract infection, site not specified"}, {"M54.50", "Low back pain, unspecified"}, {"I50.9", "Heart failure, unspecified"}}
	drugs      = [][3]string{{"Metformin", "500 mg", "PO"}, {"Lisinopril", "10 mg", "PO"}, {"Albuterol", "2 puffs", "INH"}, {"Ceftriaxone", "1 g", "IV"}, {"Insulin glargine", "20 units", "SC"}}
)

// generator makes encounters; equal seeds make equal bytes.
type generator struct {
	r                     *rand.Rand
	facility, fname, kind string
	npi                   string
	doctors               [][2]string
	visit                 int64
}

func newGenerator(seed uint64) *generator {
	g := &generator{r: rand.New(rand.NewPCG(seed, 0x5eed))}
	g.move()
	for range 24 {
		g.doctors = append(g.doctors, [2]string{fmt.Sprint(1000000000 + g.r.IntN(999999999)), pick(g.r, families) + ", " + pick(g.r, givens) + " MD"})
	}
	g.visit = int64(100000000000 + g.r.IntN(800000000))
	return g
}

func pick[T any](r *rand.Rand, a []T) T { return a[r.IntN(len(a))] }

func (g *generator) move() {
	n := g.r.IntN(8000)
	g.facility, g.kind = fmt.Sprintf("F%06d", n), kinds[n%len(kinds)]
	g.fname = strings.Fields(cities[n%len(cities)])[0] + " " + g.kind + " Center"
	g.npi = fmt.Sprint(1000000000 + n*7919)
}

const stamp = "2006-01-02T15:04:05Z"

// record makes one encounter, a value for each name of header.
func (g *generator) record() []string {
	r := g.r
	if r.IntN(40) == 0 {
		g.move()
	}
	g.visit += int64(1 + r.IntN(5))
	at := time.Date(2026, 3, 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), 0, time.UTC)
	admit := at.Add(-time.Duration(r.IntN(200)) * time.Minute)
	discharge, middle, weight := "", "", ""
	if r.IntN(3) > 0 {
		discharge = admit.Add(time.Duration(60+r.IntN(5000)) * time.Minute).Format(stamp)
	}
	if r.IntN(3) == 0 {
		middle = string(rune('A' + r.IntN(26)))
	}
	if r.IntN(4) > 0 {
		weight = fmt.Sprintf("%.1f", 40+r.Float64()*80)
	}
	city := strings.Fields(pick(r, cities))
	complaint := pick(r, complaints)
	if r.IntN(8) == 0 {
		complaint += "\nhx: " + pick(r, complaints)
	}
	doctor := pick(r, g.doctors)
	return []string{
		fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Uint64()&0xffffffffffff),
		at.Format(stamp), g.facility, g.fname, g.kind, g.npi,
		fmt.Sprintf("M%08d", r.IntN(100000000)), pick(r, families), pick(r, givens), middle,
		time.Date(1930+r.IntN(94), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC).Format("2006-01-02"),
		pick(r, []string{"M", "F"}), pick(r, []string{"White", "Black", "Asian", "Hispanic", "Other"}), pick(r, []string{"en", "es", "zh"}),
		pick(r, []string{"Single", "Married", "Divorced", "Widowed"}), fmt.Sprintf("%d %s St", 1+r.IntN(9999), pick(r, streets)),
		city[0], city[1], city[2], fmt.Sprintf("(%03d) %03d-%04d", 200+r.IntN(700), 200+r.IntN(700), r.IntN(10000)),
		pick(r, plans), fmt.Sprintf("W%09d", r.IntN(1000000000)), fmt.Sprint(g.visit),
		pick(r, []string{"Outpatient", "Inpatient", "Emergency", "Observation"}), admit.Format(stamp), discharge,
		fmt.Sprint(100 + r.IntN(300)), string(rune('A' + r.IntN(4))), doctor[0], doctor[1], complaint,
		fmt.Sprintf("%.1f", 96+r.Float64()*8), fmt.Sprint(50 + r.IntN(80)), fmt.Sprint(10 + r.IntN(20)), fmt.Sprint(90 + r.IntN(90)),
		fmt.Sprint(50 + r.IntN(60)), fmt.Sprint(85 + r.IntN(16)), weight, fmt.Sprintf("%.2f", r.Float64()*9000),
		pick(r, []string{"true", "false", "false"}),
	}
}

// csvFile makes a CSV of rows encounters, with a BOM and CRLF as many senders write it.
func csvFile(seed uint64, rows int) lock.File {
	b := bytes.NewBufferString("\ufeff")
	w := csv.NewWriter(b)
	w.UseCRLF = true
	g := newGenerator(seed)
	must(w.Write(header))
	for range rows {
		must(w.Write(g.record()))
	}
	w.Flush()
	must(w.Error())
	return lock.File{Name: "encounters.csv", Data: b.Bytes()}
}

// pipeFile makes a pipe-delimited text without quotes.
func pipeFile(seed uint64, rows int) lock.File {
	b := bytes.NewBufferString(strings.Join(header, "|") + "\r\n")
	g := newGenerator(seed)
	flat := strings.NewReplacer("|", "/", "\n", " ", "\r", " ")
	for range rows {
		v := g.record()
		for i := range v {
			v[i] = flat.Replace(v[i])
		}
		b.WriteString(strings.Join(v, "|") + "\r\n")
	}
	return lock.File{Name: "encounters.txt", Data: b.Bytes()}
}

// xmlFiles makes n documents of one encounter each.
func xmlFiles(seed uint64, n int) []lock.File {
	g := newGenerator(seed)
	files := make([]lock.File, n)
	for i := range files {
		var b bytes.Buffer
		g.document(&b)
		files[i] = lock.File{Name: fmt.Sprintf("enc_%06d.xml", i), Data: b.Bytes()}
	}
	return files
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
