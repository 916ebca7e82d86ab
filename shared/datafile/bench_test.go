package datafile

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// put appends one value to a column; nil is a null.
func put(c *column.Column, v any) {
	if v == nil {
		c.Valid = append(c.Valid, 0)
		c.Nulls++
		return
	}
	c.Valid = append(c.Valid, 1)
	switch v := v.(type) {
	case string:
		c.Data = append(c.Data, v...)
		c.Ends = append(c.Ends, uint32(len(c.Data)))
	case int:
		c.Ints = append(c.Ints, int64(v))
	case int64:
		c.Ints = append(c.Ints, v)
	case float64:
		c.Floats = append(c.Floats, v)
	case bool:
		b := byte(0)
		if v {
			b = 1
		}
		c.Bools = append(c.Bools, b)
	default:
		panic(fmt.Sprintf("no column of %T", v))
	}
}

func typ(s string) lake.Type {
	t, err := lake.ParseType(s)
	if err != nil {
		panic(err)
	}
	return t
}

// visits is a batch like a real export: 40 columns of encounters, the 5 system columns before and _extra after.
func visits(rows int, seed uint64) (lake.Schema, *column.Batch) {
	s := lake.Schema{Format: lake.Format, Table: "lake.visits", N: 1, Columns: lake.SystemColumns()}
	add := func(typeName string, names ...string) {
		for _, n := range names {
			s.Columns = append(s.Columns, lake.Column{Name: n, Type: typ(typeName), Bounds: !strings.HasPrefix(n, "p_")})
		}
	}
	add("string", "message_id")
	add("timestamp", "message_at")
	add("string", "facility_id", "facility_name", "facility_type")
	add("long", "facility_npi")
	add("string", "p_mrn", "p_family", "p_given", "p_middle")
	add("date", "p_born")
	add("string", "sex", "race", "language", "marital", "p_address", "p_city", "state", "p_zip", "p_phone", "plan", "p_member")
	add("long", "visit_number")
	add("string", "class")
	add("timestamp", "admitted_at", "discharged_at")
	add("string", "room", "bed")
	add("long", "attending_npi")
	add("string", "attending", "complaint")
	add("double", "temp")
	add("long", "pulse", "resp", "systolic", "diastolic", "spo2")
	add("double", "weight")
	add("decimal(18,2)", "charge")
	add("boolean", "readmit")
	add("string", "_extra")
	for i := range s.Columns {
		s.Columns[i].ID = i + 1
	}

	r := rand.New(rand.NewPCG(seed, 7))
	pick := func(list string) string { f := strings.Split(list, "|"); return f[r.IntN(len(f))] }
	facility := 0
	b := column.New(s.Columns)
	b.Rows = rows
	for row := range rows {
		if r.IntN(40) == 0 {
			facility = r.IntN(8000)
		}
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(28*86400)) * time.Second).UnixMicro()
		var out, middle, weight any
		if r.IntN(3) > 0 {
			out = at + int64(r.IntN(5000))*60e6
		}
		if r.IntN(3) == 0 {
			middle = string(rune('A' + r.IntN(26)))
		}
		if r.IntN(4) > 0 {
			weight = float64(400+r.IntN(800)) / 10
		}
		doc := r.IntN(24)
		for i, v := range []any{
			"acme-urgent-care", "k3v7q2m5x8w1z4t6y9b2n5c8d1", 0, row + 1, int64(1_774_000_000_000_000),
			fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Uint64()&0xffffffffffff), at,
			fmt.Sprintf("F%06d", facility), pick("Salem|Franklin|Dover") + " UrgentCare Center", pick("UrgentCare|Hospital|NursingHome|ER|CriticalCare"), 1000000000 + facility*7919,
			fmt.Sprintf("M%08d", r.IntN(100000000)), pick("Smith|Johnson|Williams|Brown|Jones|Garcia|Miller|Davis|Rodriguez|Martinez|Lopez|Lee|Hill|Green|Adams"), pick("James|Mary|Robert|Patricia|John|Jennifer|Michael|Linda|David"), middle,
			r.IntN(34000) - 14000,
			pick("M|F"), pick("White|Black|Asian|Hispanic|Other"), pick("en|es|en|zh"), pick("Single|Married|Divorced|Widowed"),
			fmt.Sprintf("%d %s St", 1+r.IntN(9999), pick("Oak|Maple|Cedar|Pine|Elm|Lake")), pick("Springfield|Franklin|Greenville|Bristol|Clinton|Salem"), pick("IL|TN|SC|CT|MS|NJ|OR"), pick("62704|37064|29601|06010|39056"),
			fmt.Sprintf("(%03d) %03d-%04d", 200+r.IntN(700), 200+r.IntN(700), r.IntN(10000)), pick("Blue Cross PPO|Aetna Choice POS II|Medicare Part B|Self Pay"), fmt.Sprintf("W%09d", r.IntN(1000000000)),
			100000000000 + row*3 + r.IntN(3), pick("Outpatient|Inpatient|Emergency"), at - int64(r.IntN(200))*60e6, out, fmt.Sprint(100 + r.IntN(300)), pick("A|B|C|D"),
			1000000000 + doc*7919, pick("Lee, James MD|Hill, Mary MD|Green, John MD|Adams, Linda MD"), pick("chest pain, radiating to left arm|shortness of breath on exertion|fever & cough x 3 days|fall from standing height, hip pain|abdominal pain, nausea|medication refill|dizziness and headache|sore throat"),
			96 + float64(r.IntN(80))/10, 50 + r.IntN(80), 10 + r.IntN(20), 90 + r.IntN(90), 50 + r.IntN(60), 85 + r.IntN(16), weight,
			r.IntN(900000), r.IntN(3) == 0, nil,
		} {
			put(&b.Columns[i], v)
		}
	}
	return s, b
}

// BenchmarkEncode is the cost of a data file of 46 columns: 7,200 rows as a CSV zip makes, 200 as an XML zip makes.
func BenchmarkEncode(b *testing.B) {
	for _, rows := range []int{7200, 200} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			s, batch := visits(rows, 1)
			e, err := NewEncoder(s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var size int64
			busy := cpu(b)
			for b.Loop() {
				e.Begin(io.Discard)
				if err := e.Append(batch); err != nil {
					b.Fatal(err)
				}
				f, err := e.Finish()
				if err != nil {
					b.Fatal(err)
				}
				size = f.Bytes
			}
			b.ReportMetric(float64((cpu(b)-busy).Nanoseconds())/1000/float64(b.N)/float64(rows), "cpu-µs/row")
			b.ReportMetric(float64(size)/float64(rows), "B/row")
		})
	}
}

// cpu is the processor time this process has used: on a busy machine it says more than the clock.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead is the cost of reading all 46 columns of a file, and the two that tell rows apart.
func BenchmarkRead(b *testing.B) {
	const rows = 72_000
	s, batch := visits(rows, 1)
	e, err := NewEncoder(s)
	if err != nil {
		b.Fatal(err)
	}
	var file bytes.Buffer
	e.Begin(&file)
	if err := e.Append(batch); err != nil {
		b.Fatal(err)
	}
	if _, err := e.Finish(); err != nil {
		b.Fatal(err)
	}
	var all []string
	for _, c := range s.Columns {
		all = append(all, c.Name)
	}
	for name, columns := range map[string][]string{"all": all, "key": {"customer", "visit_number"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			into := column.New(s.Columns)
			busy := cpu(b)
			for b.Loop() {
				r, err := OpenReader(bytes.NewReader(file.Bytes()), int64(file.Len()), s)
				if err != nil {
					b.Fatal(err)
				}
				into.Reset()
				if err := r.Read(0, columns, into); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu(b)-busy).Nanoseconds())/1000/float64(b.N)/rows, "cpu-µs/row")
		})
	}
}
