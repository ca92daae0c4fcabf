package limiter

import (
	"math"
	"time"
)

// A pace is how fast calls that wait have been starting. It is what lets a
// Limiter tell a caller at once that it cannot start before its deadline,
// instead of letting it find out.
//
// The estimate is meant to err on one side only: to turn away a call that would
// have made it is worse than to let one wait in vain. So it needs a number of
// starts since the queue was last empty, and it is reduced by two standard
// errors: of k intervals with mean m and standard deviation s, k·m - 2·s·√k.
type pace struct {
	n              int     // intervals since the queue was last empty
	last           instant // start of the latest call
	mean, variance float64 // of the intervals, in seconds; the last 32 or so count
}

const (
	soundPace  = 16
	paceMemory = 32
)

// begin forgets what was: calls begin to wait.
func (p *pace) begin(now instant) { *p = pace{last: now} }

// started counts a start from the queue.
func (p *pace) started(now instant) {
	interval := float64(now - p.last)
	p.last = now
	p.n++
	g := 1.0 / paceMemory
	if p.n < paceMemory {
		g = 1 / float64(p.n)
	}
	d := interval - p.mean
	p.mean += g * d
	p.variance += g * (d*d*(1-g) - p.variance)
}

// atLeast returns how long the call that is k-th in line will wait at least, or
// 0 if that is not known.
func (p *pace) atLeast(k int) time.Duration {
	if p.n < soundPace {
		return 0
	}
	n := float64(k)
	wait := n*p.mean - 2*math.Sqrt(p.variance*n)
	return time.Duration(math.Max(0, math.Min(wait, math.MaxInt64/2)))
}
