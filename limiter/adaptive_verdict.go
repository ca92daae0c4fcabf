package limiter

import "math"

// What an experiment has shown, and what follows from it.
//
// Failure mode: a client among many takes out a small part of all that is in
// flight. If the others do not experiment at the same time, latency hardly falls
// though all of it is queue, and the verdict is that the path is longer. The grid
// is there against that, and out of turn the first such verdict is believed only in
// part; it fails where clients come one by one to a slow and small service, whose
// first experiments are a minute away.

// conclude ends the experiment and draws its lesson.
func (a *adaptive) conclude(s State) {
	a.running = false
	a.limitThen = a.limit
	defer a.newRound(s.Now) // keeps the latencies until they have been looked at
	// Of fast calls one of many is kept: if callers stop coming there may be none.
	if len(a.latencies) < 4 || a.cohort*5 < a.enrolled*2 {
		a.plan(s)
		return
	}
	low, stderr, spread := a.gauge(a.latencies, int(a.enrolled/a.every))
	a.trial.spread = spread
	before := a.base
	fall := (a.inFlightThen - a.lowered) / a.rateThen // what Little's law says if all is queue
	v := a.judge(low, stderr, fall)
	switch v {
	case moved:
		a.soon(s)
	case unsure:
	default:
		a.suspect = false
	}
	queue, target := a.rateThen*math.Max(0, a.lowThen-a.base), a.target()
	fell := a.lowThen - low
	switch {
	case fell > 0.75*fall && fell-2*math.Hypot(stderr, a.errorThen) > 0.5*fall:
		// The calls taken out cost nothing: all of them were queue. There may be
		// more of it, and what latency was before the next experiment is what it
		// was in this one: so the next one follows at once, which also keeps the
		// clients of a service together.
		a.set(math.Min(a.limit, a.lowered+1), "experiment: all of the queue could go")
		a.queue, a.queueBefore = 0, 0
		a.low, a.lowError, a.average, a.leapt = low, stderr, a.lowered, false
		a.urgent, a.fresh = s.Now, true
	case v == moved || v == unsure:
	case v == path:
		a.set(math.Max(a.limit, a.goodLimit), "experiment: the path is longer")
		a.found, a.foundError, a.baseThen, a.probation = float32(low), float32(stderr), float32(before), probation
		a.calm = 3
		a.queue, a.queueBefore = 0, 0
	case queue > 2*target:
		a.set(math.Max(0.4*a.limit, a.limit-0.9*(queue-target)), "experiment: queue %.1f above %.1f", queue, target)
		a.queue, a.queueBefore = 0, 0
	}
	if a.base < 0.85*before {
		a.soon(s)
	}
	// When it found what was known, the next may come later.
	if v == queued && math.Abs(low-before) < 1.5*math.Hypot(stderr, a.baseError) {
		a.spacing = min(maxSpacing, 2*a.spacing)
	} else {
		a.spacing = 1
	}
	// What the round after it finds can only be compared if the limit is what it was.
	a.compare = a.regular && a.limit == a.limitThen && a.urgent == never
	a.plan(s)
}

// A verdict is what an experiment has shown.
type verdict uint8

const (
	queued verdict = iota // latency above the base is queue
	path                  // it is not
	mixed                 // it is in part
	moved                 // latency rose though the limit fell
	unsure                // it cannot be told
)

// judge compares latency during the experiment with what it was before and
// with what it should be, and moves the base.
func (a *adaptive) judge(low, stderr, fall float64) verdict {
	then := a.lowThen - a.base // delay before,
	during := low - a.base     // during,
	want := math.Max(0, then-fall)
	tolerance := math.Max(2*stderr, 0.15*math.Max(then, 0))
	sigma := math.Hypot(stderr, a.baseError)
	switch {
	case during > then+tolerance+0.1*a.lowThen:
		a.suspect, a.spared = true, true
		return moved
	case during <= want+tolerance:
		a.settle(low, stderr, want)
		return queued
	case !a.regular && !a.suspect: // other clients may not be experimenting
		return unsure
	case a.overdues*5 > a.successes && a.limit > 0.6*a.goodLimit:
		// Where many calls are lost those that are answered have all waited until shortly
		// before they would have been lost, too. That does not change with the limit, but
		// is no path. A longer path brings calls beyond their deadlines, too, but as many
		// of them when the limit has come down to half. Both numbers are of the time since
		// the latest round, or their quotient would be too great.
		return unsure
	case during >= then-0.3*math.Min(math.Max(then, 0), fall)-tolerance/2:
		// Out of turn other clients may not be experimenting, and then their queue looks
		// like a longer path. If latency stays high until the next experiment, it is one:
		// the next regular one may be a minute away. Nor is one believed that is no more than
		// what ℓ differs by from round to round: calls wait in the same queue, and so are
		// alike, but the queue is not. After a jump rounds differ for that reason alone.
		if !a.suspect {
			// An experiment is longer than a round, and so differs by less: by half.
			sigma = math.Max(sigma, 0.5*math.Sqrt(float64(a.scatter)))
		}
		if during > 4*sigma && (a.regular || a.longer) {
			a.base, a.baseError = low, stderr
		} else {
			a.base += 0.3 * (low - a.base)
		}
		a.longer = !a.regular
		return path
	default:
		a.base += 0.3 * (during - want)
		return mixed
	}
}

// settle moves the base to what an experiment that left no queue has measured.
func (a *adaptive) settle(low, stderr, want float64) {
	if want > 0 && low >= a.base {
		return // some queue was left: ℓ is not the base
	}
	if a.trial.spread < a.baseSpread {
		a.baseSpread = a.trial.spread
	} else {
		a.baseSpread += 0.3 * (a.trial.spread - a.baseSpread)
	}
	if a.creeping && low < a.base {
		// While refusals hold the limit there is no queue to find, and experiments are
		// short: that the few answers of one are short is chance, and the way back from
		// a base that is far too low takes half a minute.
		return
	}
	variance := sq(a.baseError) + sq(0.03*a.base)
	switch {
	case low+stderr < 0.8*a.base: // a few answers can be as low by chance
		a.base, a.baseError = low, stderr
	case low < a.base:
		a.base, a.baseError = blend(a.base, variance, low, sq(stderr))
	default:
		g := variance / (variance + sq(stderr))
		a.base += math.Max(0.2, 0.4*g) * (low - a.base)
		a.baseError = math.Sqrt(variance * sq(stderr) / (variance + sq(stderr)))
	}
}
