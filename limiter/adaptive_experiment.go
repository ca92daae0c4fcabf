package limiter

import (
	"math"
	"time"
)

// An experiment lowers the limit for a while and looks whether latency falls. By
// Little's law, if all that was above the base was queue, taking d calls out of
// flight takes d/X off the latency. So:
//
//	it fell by that much      it was queue; the base may be lower still
//	it did not fall           the path, or the work, is longer: raise the base
//	in between                raise the base by three tenths of what did not fall
//	it rose                   the world changed meanwhile; try again
//
// Latency alone cannot tell a queue from a longer path, whoever watches it and
// for however long; that is why every rule that only watches either takes a
// longer path for overload for good, or overload for the path.
//
// The fewer calls are taken out, the less does it cost: what the queue covers costs
// nothing. But what is taken out has to show, beside a queue that varies by about the
// root of the calls in flight. So a regular experiment takes out that root, or half if
// they are few, and lasts for a fifth of a second at least: long enough for the mean of
// hundreds of answers, and for those of clients whose clocks are off by a tenth of a
// second to overlap. One out of turn, and any while refusals hold the limit, has to be
// short: it lasts for about two latencies, and takes out a third.
type experiment struct {
	*trial                // nil before the first
	running bool          // one is under way
	spacing int32         // regular ones are so many periods apart, since they find nothing new
	next    time.Duration // moment of the next regular experiment, or never
	urgent  time.Duration // of the next one out of turn, or never

	limitThen float64 // the limit when the last one ended, or the next was brought forward
}

// A trial is what has to be known of an experiment while it is running.
type trial struct {
	lowered  float64 // the limit meanwhile
	start    time.Duration
	deadline time.Duration
	regular  bool          // on the coarse grid
	compare  bool          // whether align compares the round after it with the one before it
	wanted   int32         // the cohort: calls to start during the experiment
	enrolled int32         // that have started
	cohort   int32         // that have been answered
	every    int32         // of so many latencies one is kept, so that mostKept is enough
	late     float32       // by how many seconds the grid is moved, kept from one to the next
	full     time.Duration // when the last of the cohort started
	spread   float64       // of the latencies kept, see gauge

	// Before it began.
	inFlightThen, lowThen, errorThen, rateThen float64

	// Of a longer path that it has found; see retract.
	found, foundError, baseThen float32
	probation                   int32 // rounds
}

const (
	period      = 2 * time.Second // the least between regular experiments
	shortPeriod = 256 * time.Millisecond
	maxSpacing  = 8
	outOfTurn   = 1.0 / 3 // the share of the calls that an experiment out of turn takes out
	leastLong   = 0.2     // seconds that a regular one lasts at least
	mostKept    = 400     // latencies of a cohort

	never = time.Duration(math.MaxInt64)
)

// onGrid returns the next moment at which the wall clock shows a multiple of a
// period, which is unit × a power of two and at least so many seconds, times
// spacing; all of it later by late. Powers of two let the grids of clients with different
// latencies share their instants.
func onGrid(s State, late, unit time.Duration, least float64, spacing int32) time.Duration {
	for seconds(unit) < least && unit < never/(4*maxSpacing) {
		unit *= 2
	}
	unit *= time.Duration(spacing)
	wall := time.Duration(s.Wall().UnixNano()) - late
	return s.Now + (wall/unit+1)*unit - wall
}

// plan sets the next regular experiment.
func (a *adaptive) plan(s State) {
	late := time.Duration(0)
	if a.trial != nil {
		late = duration(float64(a.late))
	}
	a.next = onGrid(s, late, period, 24*a.mean, a.spacing)
}

// soon asks for an experiment on the fine grid.
func (a *adaptive) soon(s State) {
	if a.urgent == never {
		a.urgent = onGrid(s, 0, shortPeriod, 8*a.mean, 1)
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

// elsewhere brings experiments close together again, since what was found was of
// another limit.
func (a *adaptive) elsewhere(s State) {
	if a.spacing > 1 {
		a.spacing, a.limitThen = 1, a.limit
		a.plan(s)
	}
}

// due reports whether one is due. There is a round between any two: what latency
// was before is half of what an experiment compares.
func (a *adaptive) due(now time.Duration) bool {
	return a.fresh && (now >= a.next || now >= a.urgent)
}

// felt reports whether the limit matters: callers are held back by it, or most of it
// is used. If a few callers have a limit that is just enough for them, all that they
// have in flight may be queue: each other's, and that of other clients.
func (a *adaptive) felt() bool { return a.share > 0.2 || a.average > 0.75*a.limit }

// begin begins an experiment if it can show anything, and reports whether.
func (a *adaptive) begin(now time.Duration) bool {
	asked := a.urgent != never
	a.urgent = never
	regular := now >= a.next
	if regular {
		a.next = never
	}
	if a.limit < 2 || a.rate == 0 || a.told || !a.felt() && !asked {
		return false // planned again when the limit is felt
	}
	inFlight := math.Max(1, math.Min(a.limit, a.average))
	lowered, wanted := a.size(inFlight, regular && !a.creeping)
	if lowered >= inFlight {
		return false // there is nothing that could be taken away
	}
	if a.trial == nil {
		a.trial = new(trial)
	}
	*a.trial = trial{
		late: a.late, lowered: lowered, regular: regular, wanted: int32(wanted), every: int32(math.Ceil(wanted / mostKept)),
		start: now, full: never, deadline: now + duration(math.Max((wanted/lowered+4)*a.mean, 0.040)),
		inFlightThen: inFlight, lowThen: a.low, errorThen: a.lowError, rateThen: a.rate,
	}
	a.running, a.fresh = true, false
	a.latencies = a.latencies[:0]
	a.round()
	return true
}

// size returns the limit for an experiment from so many calls in flight, and how many
// answers it wants.
func (a *adaptive) size(inFlight float64, long bool) (lowered, wanted float64) {
	out, few := outOfTurn*inFlight, 20.0
	if long {
		out = math.Min(math.Sqrt(inFlight), inFlight/2)
		if a.suspect {
			// Much depends on what it finds, and it is believed at once. But sixty answers
			// that take seconds each would keep the limit down for a minute: as many as
			// come in a second.
			few = math.Max(few, math.Min(60, a.rate))
		}
	}
	lowered = math.Max(a.least, math.Floor(inFlight-out))
	wanted = math.Min(mostKept, math.Max(2*lowered, math.Min(few, 6*lowered)))
	if long {
		wanted = math.Max(wanted, leastLong*a.rate*lowered/inFlight)
	}
	return lowered, wanted
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

// ofCohort reports whether a call that has ended is one of the cohort.
func (a *adaptive) ofCohort(started time.Duration) bool {
	return a.running && started >= a.start && started <= a.full && a.cohort < a.enrolled
}

// observe takes the latency of a call of the cohort.
func (a *adaptive) observe(started time.Duration, latency float64) {
	if a.ofCohort(started) {
		a.cohort++
		if a.cohort%a.every == 0 {
			a.latencies = append(a.latencies, float32(latency))
		}
	}
}

// dismiss takes a call out of the cohort of which the outcome says nothing of latency.
// Another may take its place: if such calls counted as long ones, an experiment among
// many of them would never come to a verdict.
func (a *adaptive) dismiss(started time.Duration) {
	if a.ofCohort(started) {
		a.enrolled--
		a.full = never
	}
}

// enough reports whether of the cohort is known what the gauge needs, though the
// slowest may still be under way: well more than the fastest quarter or, where
// answers are or may be alike, nearly all.
func (a *adaptive) enough() bool {
	need := 0.6
	if a.spread <= 1.3 || a.spread <= unlike && a.baseSpread < alike {
		need = 0.95
	}
	return a.enrolled >= a.wanted && float64(a.cohort) >= need*float64(a.wanted)
}
