package limiter

import "math"

// Clients that experiment at the same moments see each other's queue go with their own.
// They keep the moments by their wall clocks, and clocks are off. One that is early begins
// when the queue is still there, and stops before the others have: it sees less of the
// queue go than there is, takes the rest for the path, and gets more than its share. With
// eight clients whose clocks are off by up to 0.1 s the first of them got 1.4 times as much
// as the others.
//
// But the queue itself tells, without a word between them. After its experiment, one that
// is early finds latency lower than before: the others are still at it. One that is late
// finds it higher: the others had begun before it. Each moves its own grid a little towards
// the others, as fireflies do that come to flash together (Mirollo and Strogatz,
// "Synchronization of pulse-coupled biological oscillators", 1990).
//
// Calls of the experiment that are answered after it make latency look lower than it is, so
// all would move later, together. So a tenth of the way is forgotten each time, which keeps
// them near the time of the wall clock, at which a new client comes.
//
// Failure mode: clocks that are off by more than an experiment lasts. Then there is nothing
// to see before or after it.
const (
	nudge  = 0.025 // seconds by which the grid is moved at once; at most ten times as far in all
	forget = 0.1   // the share of the way that is forgotten each time
)

// align moves the grid of experiments after the first round that follows a common one. The
// next one has its moment by then, so that it is the one after it that is moved.
func (a *adaptive) align() {
	t := a.trial
	if t == nil || !t.compare {
		return
	}
	t.compare = false
	if a.limit != a.limitThen {
		return // refusals have changed it since, or a return from a collapse: latency follows
	}
	t.late *= 1 - forget
	change, chance := a.low-t.lowThen, 2*math.Hypot(a.lowError, t.errorThen)
	switch {
	case change < -chance:
		t.late += nudge
	case change > chance:
		t.late -= nudge
	}
}
