package main

import (
	"os"
	"strconv"
	"strings"
)

// processorTime is what all cores of the machine have worked and idled since it started, in ticks; 0 where the system does
// not tell.
func processorTime() (used, idle float64) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseFloat(f, 64)
		switch {
		case err != nil: // the name of the line
		case i == 4 || i == 5: // idle, and waiting for a disk
			idle += n
		case i <= 8:
			used += n
		}
	}
	return used, idle
}
