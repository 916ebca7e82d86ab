package query

import "time"

// Limits bound one statement. For a customer's, zero fields mean the defaults; for an operator's, no limit but the engine's.
type Limits struct {
	Memory  int64         `json:"memory,omitempty"`  // bytes, of the whole process in a Child; default 1 GiB
	Spill   int64         `json:"spill,omitempty"`   // bytes of temporary files; default 4 GiB
	Threads int           `json:"threads,omitempty"` // default 2
	Time    time.Duration `json:"time,omitempty"`    // from Prepare to the last row; default 1 minute
	CPU     time.Duration `json:"cpu,omitempty"`     // of all threads, in a Child; default Threads × Time
}

func (l Limits) orDefaults() Limits {
	if l.Memory <= 0 {
		l.Memory = 1 << 30
	}
	if l.Spill <= 0 {
		l.Spill = 4 << 30
	}
	if l.Threads <= 0 {
		l.Threads = 2
	}
	if l.Time <= 0 {
		l.Time = time.Minute
	}
	if l.CPU <= 0 {
		l.CPU = time.Duration(l.Threads) * l.Time
	}
	return l
}
