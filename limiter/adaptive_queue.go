package limiter

import (
	"math"
	"time"
)

// The queue to aim at and the way there.
//
// A far side with many places needs a standing queue of the order of the root of
// their number to be busy 98 or 99 % of the time (the square-root rule of Halfin
// and Whitt, "Heavy-traffic limits for queues with many exponential servers",
// 1981). The same root makes the fixed point of several clients of one service
// unique. Four things make the target another than κ√limit, and mostly less:
//
//   - The queue is a reserve against chance, and only what varies is chance: where
//     all calls take equally long there is nothing to guard against (Kingman's
//     formula: waiting grows with the variance of the service).
//   - A path has calls in flight too, but they take no place at the far side, and
//     clients whose paths differ must have the same target, or the one that is
//     farthest away gets the most: with a target of κ√(X·L), which is κ√limit, what
//     each gets of a common queue is in proportion to its whole latency L.
//   - The fastest quarter of the answers have waited less than the others: a
//     queue of Q calls takes a time that varies by about 1/√Q of itself, so the
//     gauge sees less than all of it.
//   - What each client gets of a common queue depends on how well it knows its base: with
//     a target of X^e, and the queue taking the time q by a base that is wrong by δ, it is
//     in proportion to (q-δ)^(-1/(1-e)). That is a power of 2 for a root, where e is .5, and
//     of 1.8 for .45, which is about what one server needs as well. For fewer than 6 calls
//     it is a little more than their root.
//
// The first two have one answer. By how much calls differ is v, the mean latency
// less ℓ, in which path and queue cancel. X·v calls are in flight because calls
// differ, and one and a half times as many are about what the far side works on: all
// that it does where service is exponential. The target is κ times about the root of that,
// if it is less than the limit.
//
// Failure mode: a service that gets slower with every call, and has no knee, is
// held where its queue by this reckoning is the target, below its most throughput.
const (
	cut    = 0.5 // the share of the excess queue that one round removes
	gain   = 0.5 // the most that one round adds, in units of √limit
	varied = 1.5 // calls at work at the far side for each that is in flight since calls differ
	far    = 4   // rounds in a row with hardly any queue after which the knee is far away

	exponent = 0.45 // of the calls at work, in the target
	meets    = 6.0  // calls at work for which that is as much as their root would be
)

// asRoot makes meets what it is.
var asRoot = math.Pow(meets, 0.5-exponent)

// target is the queue to aim at, as ℓ shows it.
func (a *adaptive) target() float64 {
	atWork := varied * a.rate * math.Max(0, a.mean-a.low)
	wanted := a.eagerness * asRoot * math.Pow(math.Min(a.limit, atWork), exponent)
	unseen := 0.2 * math.Sqrt(wanted)
	return math.Max(0.5, wanted-unseen)
}

// control sets the limit after a round.
func (a *adaptive) control(s State) {
	a.retract()
	target, queue := a.target(), a.queue
	// What one round shows may be a pause of a garbage collector; what two
	// show is a queue.
	both := math.Min(queue, a.queueBefore)
	if a.limit >= a.resumeTo {
		a.resumeTo = 0
	}
	a.watch(s, target)
	switch {
	case a.growing:
		a.grow(s, queue, target)
	case both > target:
		a.calm = 0
		if a.limit < 0.8*a.limitThen { // falling: for a good reason?
			a.elsewhere(s)
		}
		if !a.holds() {
			a.set(a.limit-math.Min(cut*(both-target), 0.3*a.limit), "queue %.1f above %.1f", both, target)
		}
	case queue < target && a.share > 0:
		a.raise(s.Now, queue, target)
	}
	if a.limit > 1.5*a.limitThen {
		a.elsewhere(s)
	}
}

// raise raises the limit a little, the less the nearer the queue is to its
// target and the less callers were held back.
func (a *adaptive) raise(now time.Duration, queue, target float64) {
	if queue < 0.4*target && a.share > 0.3 {
		a.calm = min(a.calm+1, far)
	} else {
		a.calm = 0
	}
	step := gain * math.Sqrt(a.limit) * (1 - queue/target)
	if a.creeping {
		step = math.Min(step, a.creep(now))
	} else if a.calm == far {
		a.growing, a.growth = true, 0.25
		a.plateauRate, a.plateauInFlight = 0, 0
	}
	a.set(a.limit+step*math.Min(1, 2*a.share), "queue %.1f below %.1f", queue, target)
}
