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
// left the queue, too: the line has moved. Of k calls that leave at random with
// p seconds between them the last leaves after k·p, give or take √k·p. The
// estimate is
//
//	0.75 · (k - 2√k) · p,  k = place in line - calls in flight
//
// with the lesser p of the last whole window and the one that is under way.
type pace struct {
	per   float64 // nanoseconds for each call in the last whole window; 0 if there is none
	n     int     // calls that have left the queue in this window
	since instant // when it began
}

const (
	paceWindow   = 32 // calls, at least
	paceBunches  = 4
	paceCaution  = 0.75
	paceUnderWay = 16 // calls from which on the window under way has a say
)

// begin forgets what was: calls begin to wait, or what held them back has
// changed.
func (p *pace) begin(now instant) { *p = pace{since: now} }

// moved counts a call that has left the queue, to start or for good.
func (p *pace) moved(now instant, inFlight int) {
	p.n++
	if p.n >= max(paceWindow, paceBunches*inFlight) {
		p.per = float64(now-p.since) / float64(p.n)
		p.n, p.since = 0, now
	}
}

// atLeast returns how long the call in that place of the line will wait at least,
// or 0 if that is not known.
func (p *pace) atLeast(place, inFlight int, now instant) time.Duration {
	k := float64(place - inFlight)
	if k <= 4 || p.per == 0 {
		return 0
	}
	per := p.per
	if p.n >= paceUnderWay {
		per = math.Min(per, float64(now-p.since)/float64(p.n))
	}
	wait := paceCaution * (k - 2*math.Sqrt(k)) * per
	return time.Duration(math.Min(wait, math.MaxInt64/2))
}
