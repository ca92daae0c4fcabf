package limiter

import (
	"math"
	"time"
)

// loss is what is remembered of calls that did not come back with an answer.
//
// A refusal (429, 503) is a message about count: the place that came back
// refused is one that the far side does not have. So each takes half a place
// away, but never more than half of the limit within one latency, and after
// the last one the limit creeps back, twice as fast every four seconds. A
// quota has no queue, so latency alone would run into it again at once.
//
// An overdue call is one with a long latency that nobody has measured.
// Ignoring it would leave only the fast ones to be seen, and the far side,
// which works on calls long given up, would never be relieved.
type loss struct {
	creeping     bool          // a refusal has set the limit
	refusedAt    time.Duration // the last one
	refusedLimit float64       // where it left the limit
	episodeAt    time.Duration // the first of those within one latency
	episodeFloor float64

	lastCut     time.Duration // calls that started before it have not felt it
	lostUsually float64       // the share of calls that are overdue in good times
	collapsedAt time.Duration
	resumeTo    float64 // half of the last good limit, to return to quickly; 0 for none
}

func (a *adaptive) refused(now time.Duration) {
	a.refusals++
	if a.episodeAt == 0 || seconds(now-a.episodeAt) > 1.5*a.mean+0.001 {
		a.episodeAt, a.episodeFloor = now, a.limit/2
	}
	a.set(math.Max(a.episodeFloor, a.limit-0.5), "refused")
	a.growing, a.calm, a.creeping = false, 0, true
	a.refusedAt, a.refusedLimit = now, a.limit
}

// creep is the most by which the limit may rise in a round after refusals.
func (a *adaptive) creep(now time.Duration) float64 {
	return 0.02 * a.limit * math.Exp2(seconds(now-a.refusedAt)/4) * a.duration
}

func (a *adaptive) overdue(started time.Duration) {
	if started >= a.lastCut {
		a.overdues++
	}
}

// lost cuts the limit after a round in which more calls than usual were
// overdue, in proportion to the share that is beyond chance.
func (a *adaptive) lost(now time.Duration, r roundSums) {
	if a.creeping && r.refusals == 0 && a.limit > 1.5*a.refusedLimit+1 {
		a.creeping = false
	}
	n := float64(r.successes + r.refusals + r.overdues)
	if n == 0 {
		return
	}
	p := float64(r.overdues) / n
	excess := p - 2*a.lostUsually - 1.5*math.Sqrt(p*(1-p)/n)
	if excess <= 0 || r.overdues < 2 {
		a.lostUsually = math.Min(0.05, math.Max(0.002, a.lostUsually+0.02*(p-a.lostUsually)))
		return
	}
	if a.resumeTo == 0 || now-a.collapsedAt > 10*time.Second {
		a.resumeTo = a.goodLimit / 2
	}
	a.collapsedAt, a.lastCut = now, now
	a.growing, a.calm = false, 0
	a.set(a.limit*(1-math.Min(0.5, excess)), "%.0f %% overdue", 100*p)
}
