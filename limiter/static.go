package limiter

import "time"

// Fixed returns the Policy that lets at most n calls be in flight: as soon as
// one ends the next may start. It is the right choice when you know the number
// of places on the far side, such as connection slots or worker processes. The
// place to start without measuring is Little's law, n = calls per second that
// the far side can do × seconds that one call takes there.
//
// It panics with a [*ConfigError] unless n is at least 1.
func Fixed(n int) Policy {
	if n < 1 {
		badConfig("Fixed", "n", n, "at least 1")
	}
	return fixed(n)
}

type fixed int

func (n fixed) Next(State) (int, time.Duration) { return int(n), 0 }
func (n fixed) Start(State)                     {}
func (n fixed) Report(State, Result)            {}
func (n fixed) Clockless()                      {}

// Batch returns the Policy that works in batches: up to n calls start, and
// then none until all of them have ended. A batch therefore takes as long as
// its slowest call, and places stand empty until that one is done: with
// uneven calls [Fixed] with the same n is never slower and often twice as
// fast. Batch is for far sides that want to be left in peace between batches,
// and for comparison.
//
// A batch need not be full: calls that come while it runs join it until n have
// started. It panics with a [*ConfigError] unless n is at least 1.
func Batch(n int) Policy {
	if n < 1 {
		badConfig("Batch", "n", n, "at least 1")
	}
	return &batch{size: n}
}

type batch struct {
	size    int
	started int // calls of the running batch that have started
}

func (b *batch) Next(s State) (int, time.Duration) {
	if s.InFlight > 0 && b.started >= b.size {
		return 0, 0 // closed until the last one has ended
	}
	return b.size, 0
}

func (b *batch) Start(s State) {
	if s.InFlight <= 1 { // the first of a new batch
		b.started = 0
	}
	b.started++
}

func (b *batch) Report(State, Result) {}
func (b *batch) Clockless()           {}
