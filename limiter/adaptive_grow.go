package limiter

import "math"

// grow is slow start: by a share with each round, for as long as no queue shows
// and goodput follows.
func (a *adaptive) grow(s State, queue, target float64) {
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
	a.set(a.limit*(1+a.growth*math.Min(1, 2*a.share)), "slow start")
}
