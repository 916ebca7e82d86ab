package sim

import (
	"fmt"
	"strings"
	"time"

	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

// gate pauses the process before a call and decides what happens to the call.
func (p *process) gate(op, key string) faulty.Fault {
	if p.dead {
		return faulty.Crash
	}
	p.claims = op == "apply" || op == string(faulty.Put) && (strings.HasPrefix(key, "loads/") || strings.HasPrefix(key, store.LogPrefix))
	p.paused <- true
	<-p.run
	if p.dead {
		return faulty.Crash
	}
	w := p.world
	w.calls++
	w.now = w.now.Add(time.Duration(1+w.rng.IntN(2000)) * time.Millisecond)
	if w.now.Before(w.until) && w.rng.IntN(50) == 0 {
		w.now = w.now.Add([]time.Duration{20 * time.Minute, 3 * time.Hour, 26 * time.Hour}[w.rng.IntN(3)])
	}
	f := faulty.None
	switch {
	case w.plan != nil:
		f = w.plan(w.calls)
	case w.chance > 0:
		if r := w.rng.Float64() / w.chance; r < 2 {
			f = []faulty.Fault{faulty.Before, faulty.After, faulty.Crash, faulty.CrashAfter}[int(2*r)]
		}
	}
	if w.trace != nil {
		w.trace(fmt.Sprintf("%d %s %s %s: %s", w.calls, p.name, op, key, f))
	}
	p.dead = f == faulty.Crash || f == faulty.CrashAfter
	return f
}

// kill ends processes before their next call.
func kill(processes []*process) {
	for _, p := range processes {
		p.dead = true
		p.run <- struct{}{}
		for <-p.paused {
			p.run <- struct{}{}
		}
	}
}

// drive runs processes to their ends. Half of the worlds choose the next process by chance, the others run the one of
// highest priority and drop it to the lowest at random moments, which finds rarer interleavings. Now and then a process
// falls asleep before a call.
func (w *world) drive(processes ...*process) {
	byPriority := w.rng.IntN(2) == 0
	priority := map[*process]float64{}
	for _, p := range processes {
		priority[p] = w.rng.Float64()
	}
	for len(processes) > 0 {
		if w.lost > 0 && w.calls >= w.lost {
			kill(append(processes, w.asleep...))
			w.asleep = nil
			return
		}
		i := w.rng.IntN(len(processes))
		if byPriority {
			for j, p := range processes {
				if priority[p] > priority[processes[i]] {
					i = j
				}
			}
			if w.rng.IntN(25) == 0 {
				priority[processes[i]] = -w.rng.Float64() - float64(w.calls)
			}
		}
		p := processes[i]
		often := w.sleepy
		if p.claims {
			often /= 10
		}
		sleeps := w.sleepy > 0 && len(w.asleep) < 3 && w.rng.IntN(often) == 0
		if sleeps {
			w.asleep = append(w.asleep, p)
		} else {
			p.run <- struct{}{}
		}
		if sleeps || !<-p.paused {
			processes = append(processes[:i], processes[i+1:]...)
		}
	}
}
