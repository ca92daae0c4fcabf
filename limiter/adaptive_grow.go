package limiter

import (
	"math"
	"time"
)

// Slow start raises the limit by a share with each round, for as long as no queue shows
// and goodput follows. Meanwhile the base is what the first round has found, since the
// least of many short rounds is low by chance; only where goodput has followed concurrency
// was there no queue, and the base is moved towards ℓ. If the base is too high no queue
// shows, but goodput ceases to follow.
//
// A server that the first limit was already too much for shows no queue of which the base
// knows: the base itself was found in it. But it was empty once. The calls that began
// before there was any answer waited for fewer others than those that came after them,
// who found all places taken. If these take longer, beyond chance, the server is full.
//
// Failure mode: a server that others have filled is as full for the first call as for the
// last. Then only an experiment tells.

// An opening is what the answers of the first round show of that.
type opening struct {
	over         time.Duration // when the first answer came
	early, later moments       // latencies of calls that started before it and after it
}

// moments are what the mean of a sample and its standard error are reckoned from.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(x float64) {
	m.n++
	m.sum += x
	m.squares += sq(x)
}

// estimate returns the mean and the variance of one.
func (m *moments) estimate() (mean, variance float64) {
	mean = m.sum / m.n
	return mean, math.Max(0, m.squares/m.n-sq(mean)) * m.n / (m.n - 1)
}

// opened counts an answer of the first round. Fewer than four calls at first show nothing.
func (a *adaptive) opened(started time.Duration, latency float64) {
	if a.successes == 1 && a.awaiting >= 3 {
		a.opening = &opening{over: a.accounts}
	}
	switch o := a.opening; {
	case o == nil:
	case started < o.over:
		o.early.add(latency)
	default:
		o.later.add(latency)
	}
}

// full reports whether the server has been full since the first calls.
func (o *opening) full() bool {
	if o == nil || o.early.n < 4 || o.later.n < 4 {
		return false
	}
	early, v := o.early.estimate()
	later, w := o.later.estimate()
	// A few cheap calls at first are alike by chance, and know nothing of how calls differ.
	chance := math.Sqrt(math.Max(v, w)/o.early.n + w/o.later.n)
	return later > 1.3*early && later-early > 3*chance
}

// grow is slow start's part of control.
func (a *adaptive) grow(s State, queue, target float64) {
	if !a.told && a.opening.full() {
		a.growing, a.calm = false, 0
		a.soon(s)
		return
	}
	sure := 1.5 * a.rate * math.Hypot(a.lowError, a.baseError)
	if queue-sure > target || (queue > target && a.queueBefore > target) {
		a.growing, a.calm = false, 0
		a.set(a.limit-0.5*(queue-target), "end of slow start: queue %.1f above %.1f", queue, target)
		a.soon(s)
		return
	}
	if a.share < 0.3 {
		return
	}
	// Goodput by Little's law. Counting answers would do, but for calls of equal
	// length: those started together end together, and whether a round sees one
	// wave of them or two is a matter of where it begins.
	rate := a.average / a.mean
	if a.plateauInFlight == 0 {
		a.plateauRate, a.plateauInFlight = rate, a.average
	}
	more := math.Log(a.average / a.plateauInFlight) // concurrency
	gained := math.Log(rate / a.plateauRate)        // goodput
	if more > math.Log(1.2) && gained > 0.85*more {
		// Goodput follows concurrency, so this latency has no queue in it.
		a.base, a.baseError = blend(a.base, sq(a.baseError)+sq(0.02*a.base), a.low, sq(a.lowError))
	}
	if more > math.Log(1.4) {
		if gained < 0.35*more {
			// More concurrency no longer buys goodput though no queue shows:
			// the base is wrong.
			a.growing, a.calm = false, 0
			a.set(a.plateauInFlight, "end of slow start: no more goodput above %.0f", a.plateauInFlight)
			a.soon(s)
			return
		}
		a.plateauRate, a.plateauInFlight = rate, a.average
	}
	a.set(a.limit*(1+float64(a.growth)*math.Min(1, 2*a.share)), "slow start")
}
