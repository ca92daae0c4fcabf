package limiter

import (
	"math"
	"time"
)

// loss is what is remembered of calls that did not come back in time.
//
// An overdue call is one with a long latency that nobody has measured.
// Ignoring it would leave only the fast ones to be seen, and the far side,
// which works on calls long given up, would never be relieved. So it counts as
// long in the sample (learn), and more of them than usual cut the limit. The same
// holds for calls that are cancelled long after their answers were due.
//
// Failure mode: deadlines shorter than the service takes when nothing waits look
// like overload, and the limit goes to its minimum. No limit would help there.
type loss struct {
	lastCut     time.Duration // calls that started before it have not felt it
	lostUsually float64       // the share of calls that are overdue in good times
	collapsedAt time.Duration
	resumeTo    float64 // half of the last good limit, to return to quickly; 0 for none
}

func (a *adaptive) overdue(started time.Duration) {
	if started >= a.lastCut {
		a.overdues++
	}
}

// lost cuts the limit after a round in which more calls than usual were
// overdue, in proportion to the share that is beyond chance.
func (a *adaptive) lost(now time.Duration, r roundSums) {
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
