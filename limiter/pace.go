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
// have made it is worse than to let one wait in vain. So it goes by windows of
// at least 32 calls that have left the queue, and four times the calls in
// flight, because calls of equal length run in lockstep and start in bunches of
// as many as there are places: a window then holds four gaps between bunches, or
// one more by chance. A call within the next bunch may start at any moment, so
// the calls in flight are taken off its place in line. A call that gives up has
// left the queue, too: the line has moved. The longest gap of a window is left
// out, because a stall that is over says nothing about what comes.
//
// Of k calls that leave at random with p seconds between them on average, and a
// standard deviation of c·p, the last leaves after k·p, give or take √k·c·p. The
// estimate is
//
//	0.75 · (k - 2·c·√k) · p,  k = place in line - calls in flight
//
// with the lesser p of the last whole window and the one that is under way, and
// the greater c, at least 1. It can still turn away in error where few gaps are
// very much longer than the rest, since a window may hold more of them than the
// wait would have: with one call in a hundred taking a thousand times as long,
// one in ten of those turned away.
type pace struct {
	last  instant // when a call left the queue
	whole gaps    // the last whole window; without any if there is none
	now   gaps    // the window under way
}

// gaps sums up the times between calls that have left the queue.
type gaps struct {
	n            int
	sum, longest instant
	squares      float64 // of nanoseconds
}

const (
	paceWindow   = 32 // calls, at least
	paceBunches  = 4
	paceCaution  = 0.75
	paceUnderWay = 16 // calls from which on the window under way has a say
)

// begin forgets what was: calls begin to wait, or what held them back has
// changed.
func (p *pace) begin(now instant) {
	if p != nil {
		*p = pace{last: now}
	}
}

// moved counts a call that has left the queue, to start or for good.
func (p *pace) moved(now instant, inFlight int) {
	p.now.add(now - p.last)
	p.last = now
	if p.now.n >= max(paceWindow, paceBunches*inFlight) {
		p.whole, p.now = p.now, gaps{}
	}
}

func (g *gaps) add(gap instant) {
	g.n++
	g.sum += gap
	g.squares += float64(gap) * float64(gap)
	g.longest = max(g.longest, gap)
}

// mean is in nanoseconds, without the longest gap and over all of them.
func (g *gaps) mean() float64 { return float64(g.sum-g.longest) / float64(g.n) }

// variation is the coefficient of variation without the longest gap.
func (g *gaps) variation() float64 {
	m := g.mean()
	if m == 0 {
		return 0
	}
	return math.Sqrt(max(0, (g.squares-sq(float64(g.longest)))/float64(g.n)/(m*m)-1))
}

// atLeast returns how long the call in that place of the line will wait at least,
// or 0 if that is not known.
func (p *pace) atLeast(place, inFlight int) time.Duration {
	k := float64(place - inFlight)
	if k <= 4 || p.whole.n == 0 {
		return 0
	}
	per, c := p.whole.mean(), max(1, p.whole.variation())
	if p.now.n >= paceUnderWay {
		per, c = min(per, p.now.mean()), max(c, p.now.variation())
	}
	wait := paceCaution * (k - 2*c*math.Sqrt(k)) * per
	return time.Duration(max(0, min(wait, math.MaxInt64/2)))
}
