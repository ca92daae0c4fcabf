package limiter

import (
	"math"
	"time"
)

// An experiment lowers the limit by a third for about two latencies and looks
// whether latency falls. By Little's law, if all that was above the base was
// queue, taking d calls out of flight takes d/X off the latency. So:
//
//	it fell by that much      it was queue; the base may be lower still
//	it did not fall           the path, or the work, is longer: raise the base
//	in between                raise the base by the part that did not fall
//	it rose                   the world changed meanwhile; try again
//
// Latency alone cannot tell a queue from a longer path, whoever watches it and
// for however long; that is why every rule that only watches either takes a
// longer path for overload for good, or overload for the path.
type experiment struct {
	running bool
	*trial                // nil before the first
	next    time.Duration // moment of the next regular experiment, or never
	urgent  time.Duration // of the next one out of turn, or never
	spacing int64         // regular ones are so many periods apart, since they find nothing new

	limitThen float64
}

// A trial is what has to be known of an experiment while it is running.
type trial struct {
	lowered  float64 // the limit meanwhile
	start    time.Duration
	deadline time.Duration
	regular  bool          // on the coarse grid
	wanted   int           // the cohort: calls to start during the experiment
	enrolled int           // that have started
	full     time.Duration // when the last of them did
	cohort   int           // that have been answered

	// Before it began.
	inFlightThen, lowThen, rateThen float64
}

const (
	period      = 2 * time.Second // the least between regular experiments
	shortPeriod = 256 * time.Millisecond
	maxSpacing  = 8
	kept        = 2.0 / 3 // the share of the limit that an experiment leaves

	never = time.Duration(math.MaxInt64)
)

// onGrid returns the next moment at which the wall clock shows a multiple of a
// period, which is unit × a power of two and at least so many seconds, times
// spacing. Powers of two let the grids of clients with different latencies
// share their instants.
func onGrid(s State, unit time.Duration, least float64, spacing int64) time.Duration {
	for seconds(unit) < least && unit < never/(4*maxSpacing) {
		unit *= 2
	}
	unit *= time.Duration(spacing)
	wall := time.Duration(s.Wall().UnixNano())
	return s.Now + (wall/unit+1)*unit - wall
}

// plan sets the next regular experiment.
func (a *adaptive) plan(s State) {
	a.next = onGrid(s, period, 24*a.mean*(1+4/a.limit), a.spacing)
}

// soon asks for an experiment on the fine grid.
func (a *adaptive) soon(s State) {
	if a.urgent == never {
		a.urgent = onGrid(s, shortPeriod, 8*a.mean, 1)
	}
}

// alarm asks for one soon, and for regular ones at their closest again.
func (a *adaptive) alarm(s State) {
	if a.spacing > 1 {
		a.spacing = 1
		a.plan(s)
	}
	a.soon(s)
}

func (a *adaptive) due(now time.Duration) bool { return now >= a.next || now >= a.urgent }

// begin begins an experiment if it can show anything, and reports whether.
func (a *adaptive) begin(now time.Duration) bool {
	asked := a.urgent != never
	a.urgent = never
	regular := now >= a.next
	if regular {
		a.next = never
	}
	if a.limit < 2 || a.rate == 0 || (a.share < 0.2 && !asked) {
		return false // planned again when a round finds callers held back
	}
	inFlight := math.Max(1, math.Min(a.limit, a.average))
	lowered := math.Max(a.least, math.Floor(kept*inFlight))
	if lowered >= inFlight {
		return false // there is nothing that could be taken away
	}
	wanted := math.Min(400, math.Max(2*lowered, math.Min(20, 6*lowered)))
	if a.trial == nil {
		a.trial = new(trial)
	}
	*a.trial = trial{
		lowered: lowered, regular: regular, wanted: int(wanted),
		start: now, full: never, deadline: now + duration(math.Max((wanted/lowered+4)*a.mean, 0.040)),
		inFlightThen: inFlight, lowThen: a.low, rateThen: a.rate,
	}
	a.running = true
	a.latencies = a.latencies[:0]
	a.round()
	return true
}

// enrol counts a call that starts during the experiment.
func (a *adaptive) enrol(now time.Duration) {
	if a.enrolled < a.wanted {
		a.enrolled++
		if a.enrolled == a.wanted {
			a.full = now
		}
	}
}

// observe takes the latency of a call of the cohort.
func (a *adaptive) observe(started time.Duration, latency float64) {
	if started >= a.start && started <= a.full && a.cohort < a.enrolled {
		a.cohort++
		a.latencies = append(a.latencies, float32(latency))
	}
}

// enough reports whether the fastest quarter of the cohort is known, though
// the slowest are still under way.
func (a *adaptive) enough() bool {
	return a.enrolled >= a.wanted && 10*a.cohort >= 6*a.wanted
}

// conclude ends the experiment and draws its lesson.
func (a *adaptive) conclude(s State) {
	a.running = false
	a.limitThen = a.limit
	defer a.newRound(s.Now) // keeps the latencies until they have been looked at
	if a.cohort < 4 || a.cohort*5 < a.enrolled*2 {
		a.plan(s)
		return
	}
	low, stderr := lowMean(a.latencies, a.enrolled)
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
	case fell > 0.75*fall && fell-2*stderr > 0.5*fall:
		// The calls taken out cost nothing: all of them were queue.
		a.set(math.Min(a.limit, a.lowered+1), "experiment: all of the queue could go")
		a.queue, a.queueBefore = 0, 0
		a.soon(s)
	case v == moved || v == unsure:
	case v == path:
		a.set(math.Max(a.limit, a.goodLimit), "experiment: the path is longer")
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
	if v == queued && math.Abs(low-before) < 2*math.Hypot(stderr, a.baseError) {
		a.spacing = min(maxSpacing, 2*a.spacing)
	} else {
		a.spacing = 1
	}
	a.plan(s)
}

// A verdict is what an experiment has shown.
type verdict uint8

const (
	queued verdict = iota // latency above the base is queue
	path                  // it is not
	mixed                 // it is in part
	moved                 // latency rose though the limit fell
	unsure                // out of turn, when other clients may not be experimenting
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
		a.suspect = true
		return moved
	case during <= want+tolerance:
		a.settle(low, stderr, want)
		return queued
	case !a.regular && !a.suspect:
		return unsure
	case during >= then-0.3*math.Min(math.Max(then, 0), fall)-tolerance/2:
		if during > 4*sigma {
			a.base, a.baseError = low, stderr
		} else {
			a.base += 0.3 * (low - a.base)
		}
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
	variance := sq(a.baseError) + sq(0.03*a.base)
	switch {
	case low < 0.8*a.base:
		a.base, a.baseError = low, stderr
	case low < a.base:
		a.base, a.baseError = blend(a.base, variance, low, sq(stderr))
	default:
		g := variance / (variance + sq(stderr))
		a.base += math.Max(0.3, 0.4*g) * (low - a.base)
		a.baseError = math.Sqrt(variance * sq(stderr) / (variance + sq(stderr)))
	}
}
