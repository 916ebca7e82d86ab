package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"medlake/shared/archive/lock"
)

// BenchmarkMemory measures the peak memory of a process that does nothing but turn one zip from disk into Parquet bytes:
// all of it, and without the pages of the program file, which processes share and the system can drop.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct {
		name, path string
		records    int
		files      func() []lock.File
	}{
		{"1.5MB-xml", "acme/xml/a.zip", 900, func() []lock.File { return xmlFiles(5, 900) }},
		{"1.5MB-csv", "acme/csv/a.zip", 11_000, func() []lock.File { return []lock.File{csvFile(6, 11_000)} }},
		{"40MB-csv", "acme/csv/b.zip", 290_000, func() []lock.File { return []lock.File{csvFile(4, 290_000)} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			zip := pack(b, c.files(), lock.AES256)
			file := filepath.Join(b.TempDir(), "a.zip")
			if err := os.WriteFile(file, zip, 0o600); err != nil {
				b.Fatal(err)
			}
			all, own := 0.0, 0.0
			for b.Loop() {
				peak, program := peakOf(b, file, c.path, c.records)
				all, own = max(all, peak), max(own, peak-program)
			}
			b.ReportMetric(own, "MB-peak")
			b.ReportMetric(all, "MB-peak-with-program")
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(len(zip))/1e6, "MB-zip")
		})
	}
}

// TestConvertOne is the process that BenchmarkMemory measures.
func TestConvertOne(t *testing.T) {
	file, path := os.Getenv("MEDLAKE_BENCH_FILE"), os.Getenv("MEDLAKE_BENCH_PATH")
	if file == "" {
		t.Skip("it is a part of BenchmarkMemory")
	}
	records, err := strconv.Atoi(os.Getenv("MEDLAKE_BENCH_RECORDS"))
	if err != nil {
		t.Fatal(err)
	}
	zip, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, engine := load(t)
	newConverter(t, engine, path).convert(t, zip, records)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system does not tell a process's peak memory")
	}
	fmt.Printf("%s\n", bytes.Join(memoryLine.FindAll(status, -1), []byte("\n")))
}

// memoryLine is a line of /proc/self/status: the peak, and the pages of the program file.
var memoryLine = regexp.MustCompile(`(?m)^(VmHWM|RssFile):\s+(\d+) kB$`)

// peakOf runs TestConvertOne in a process of its own; in MB.
func peakOf(b *testing.B, file, path string, records int) (peak, program float64) {
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestConvertOne$")
	cmd.Env = append(os.Environ(), "MEDLAKE_BENCH_FILE="+file, "MEDLAKE_BENCH_PATH="+path, fmt.Sprintf("MEDLAKE_BENCH_RECORDS=%d", records))
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	mb := memory(out)
	if len(mb) == 0 {
		b.Skip("this system does not tell a process's peak memory")
	}
	return mb["VmHWM"], mb["RssFile"]
}

// memory reads the lines of memoryLine, in MB.
func memory(status []byte) map[string]float64 {
	mb := map[string]float64{}
	for _, m := range memoryLine.FindAllSubmatch(status, -1) {
		if kb, err := strconv.ParseFloat(string(m[2]), 64); err == nil {
			mb[string(m[1])] = kb / 1e3
		}
	}
	return mb
}
