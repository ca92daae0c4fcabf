package limiter

import "math"

// A jump is a rise of latency that is far beyond that of good times: the queue of others,
// a server that has lost most of its places, or a longer path. An experiment tells which,
// at the next moment of the fine grid, and until then the queue takes no more off the limit
// once it is at three quarters of what it was in good times, or below: if it is the path,
// more calls are needed and not fewer. Refusals and calls that are lost still do.
//
// What an experiment says of it is put to the test twice. Out of turn others may not be
// experimenting, and so a longer path is believed only in part until a second one says the
// same. And whenever one has been found, the limit goes back to what it was in good times.
// On a longer path latency stays as it is then. If it was a queue after all, latency rises
// with the limit, as Little's law says, and half of what the base has been raised by is
// taken back: a server of one worker answers a hundred times a second, and what twenty
// answers show of it is wrong by a fifth, which is as much as an experiment moves.
//
// Failure mode: a server that gets slower with every call looks so, too. Its base is raised
// by half as much each time, and the next experiment finds it again. A path that becomes
// longer twice within a few rounds looks so as well, and that costs a second or two.
type jump struct {
	leapt   bool // ℓ of the latest round was far above that of good times
	suspect bool // and that of the one before: the next experiment will tell why
	spared  bool // until it does, the limit does not fall far
	longer  bool // one out of turn found a longer path, and no round has been good since
}

// watch looks for a jump after a round, and for a queue that stays.
func (a *adaptive) watch(s State, target float64) {
	if a.queue <= 1.5*target {
		a.goodLimit, a.goodLow, a.suspect, a.longer = a.limit, a.low, false, false
	}
	// One round in forty is beyond twice its error, and there may be fifty in a second:
	// so it takes two in a row.
	before := a.leapt
	a.leapt = a.leaps()
	switch {
	case before && a.leapt && !a.suspect && a.queue > math.Max(1.5*target, 0.25*a.limit):
		a.suspect, a.spared = true, a.limit > 0.75*a.goodLimit
		a.alarm(s)
	case math.Min(a.queue, a.queueBefore) > math.Max(3.5*target, 0.3*a.limit):
		a.alarm(s)
	}
}

// leaps reports whether latency is far above that of the latest round without undue
// queue, beyond chance and beyond the queue that as many more calls of ours can make.
// Without that bound each rise of a small limit looks like a jump.
func (a *adaptive) leaps() bool {
	ours := math.Max(0, a.limit-a.goodLimit) / a.rate
	return a.low-2*a.lowError-ours > 1.75*a.goodLow
}

// holds reports whether the limit may fall no further until an experiment has told why
// latency has jumped.
func (a *adaptive) holds() bool {
	return a.suspect && a.spared && a.limit <= 0.75*a.goodLimit
}

// probation is for how many rounds a longer path is put to the test. The first is left
// out: most of its calls have started in the experiment.
const probation = 3

// retract takes back half of a longer path if latency has risen with the limit since.
func (a *adaptive) retract() {
	t := a.trial
	if t == nil || t.probation == 0 {
		return
	}
	t.probation--
	before := float64(t.baseThen)
	if t.probation == probation-1 || a.average < 1.2*t.lowered || before >= a.base {
		return
	}
	// If the path is longer and fewer calls than in good times are enough now, the limit
	// goes back to too many of them, and latency rises for that, but not by all of it.
	rise := a.low - float64(t.found)
	asQueue := (a.average - t.lowered) / a.rate // by Little's law
	if rise > 0.75*asQueue && rise > 2*math.Hypot(a.lowError, float64(t.foundError)) {
		t.probation = 0
		a.base += 0.5 * (before - a.base)
		a.suspect, a.spared, a.longer = true, false, false
		a.queue = a.rate * math.Max(0, a.low-a.base)
		a.queueBefore = a.queue
	}
}
