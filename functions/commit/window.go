package commit

import "time"

// Window is how long a round waits after a wake-up, so that it takes in more. It is short when little arrives: a lone zip
// should be queryable at once. It grows under load: fewer commits are cheaper, and the round before was busy anyway. It
// never decides what is committed, only when.
type Window struct {
	Shortest time.Duration // default 20 ms
	Longest  time.Duration // default 1 s

	now time.Duration
}

func (w Window) withDefaults() Window {
	if w.Shortest == 0 {
		w.Shortest = 20 * time.Millisecond
	}
	if w.Longest == 0 {
		w.Longest = time.Second
	}
	w.now = w.Shortest
	return w
}

func (w *Window) wait() time.Duration { return w.now }

// adapt sets the next window from the last round: a round that took in several arrivals earns at least twice its own
// cost, so that commits take at most a third of the time; a quiet one halves the window.
func (w *Window) adapt(arrivals int, cost time.Duration) {
	if arrivals > 2 {
		w.now = min(max(w.now*3/2, 2*cost), w.Longest)
	} else {
		w.now = max(w.now/2, w.Shortest)
	}
}
