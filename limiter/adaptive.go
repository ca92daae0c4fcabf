package limiter

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// AdaptiveConfig configures [Adaptive]. The zero value is the recommended
// configuration.
type AdaptiveConfig struct {
	Initial int // the limit to start with; 0 means 10
	Min     int // the least limit; 0 means 1
	Max     int // the greatest limit; 0 means 1000

	// Eagerness is the queue on the far side to aim at, in units of about the root of
	// the calls at work there: with 0.5 that is 1.2 calls for 6 of them, and 3.6 for
	// 64. Those on a long path do not count, and where the far side takes equally long
	// for every call hardly any do. More of it buys the last per cent of throughput
	// with latency; less does the opposite. From 0.1 to 2; 0 means 0.5.
	Eagerness float64
}

// Adaptive returns the Policy that finds the limit by itself and keeps looking:
// as many calls in flight as the far side can work on at once, and a small
// queue there so that it is never idle. It learns from latency, refusals and
// timeouts, so outcomes must be reported truthfully. It is the policy to use
// when you do not know the number, or when the number changes.
//
// How it works, in the order of the files that tell it:
//
//   - Calls are looked at in rounds (adaptive_round.go). With X answers per
//     second, and ℓ the mean latency of the fastest quarter of them, Little's
//     law gives the calls that wait on the far side: Q = X·(ℓ − B), where B is
//     that same latency when nothing waits. The fastest quarter is used since
//     the mean moves with the mix of cheap and dear calls, and the minimum is
//     luck; where all answers are alike, nearly all of them are used
//     (adaptive_gauge.go). Where the far side says how long calls have waited
//     in its queue, see [Permit.QueueDelay], its word replaces the estimate.
//   - The target is a queue of about κ√limit at most, where κ is the Eagerness, and less
//     where the path is long or all calls take equally long (adaptive_queue.go).
//     Above it the limit falls by half of the excess, below it the limit rises, and
//     only while callers are held back: a limit that nobody feels says nothing about
//     itself.
//   - B is found by experiment and not by watching (adaptive_experiment.go): the limit
//     is lowered, by about its root for a fifth of a second and two latencies at least
//     or, when something has happened, by a third for about two latencies. If latency
//     falls by what Little's law says, it was queue; if it does not fall, the path or
//     the work has become longer and B is raised (adaptive_verdict.go). When latency
//     jumps there is one at once (adaptive_jump.go).
//     Experiments start on a grid of the wall clock, so that the clients of one
//     service make them together and do not take each other's queue for the path. Where
//     clocks are off, clients find each other by the queue (adaptive_clock.go).
//   - Refusals are counted one by one, but for those that come whatever the limit
//     (adaptive_refusal.go), and answers lost to deadlines count as long ones
//     (adaptive_loss.go).
//   - At the start the limit grows by half with every round until a queue
//     shows, or goodput no longer follows (adaptive_grow.go).
//
// Failure modes known: a service without a knee, which gets slower with every
// call, is kept below its most throughput, and far below it if it gathers whole
// batches; beside greedy clients it takes less than its share; clocks of clients that
// differ by more than 0.1 s lose the benefit of common experiments; where more than a
// fifth of the calls are refused whatever the limit, it falls to one.
//
// Adaptive panics with a [*ConfigError] if c cannot be obeyed.
func Adaptive(c AdaptiveConfig) Policy {
	setRange(&c.Initial, &c.Min, &c.Max, 10, 1, 1000)
	setDefault(&c.Eagerness, 0.5)
	checkRange("AdaptiveConfig", c.Initial, c.Min, c.Max)
	if !(c.Eagerness >= 0.1 && c.Eagerness <= 2) {
		badConfig("AdaptiveConfig", "Eagerness", c.Eagerness, "from 0.1 to 2")
	}
	a := &adaptive{
		eagerness: c.Eagerness, least: float64(c.Min), most: float64(c.Max),
		limit: float64(c.Initial), dither: 0.5, cause: cause{what: "initial"},
		flags: flags{growing: true}, growth: 0.5,
		roundSums:  roundSums{earliest: duration(leastRound)},
		estimate:   estimate{base: math.Inf(1), baseSpread: math.Inf(1)},
		loss:       loss{lostUsually: 0.005},
		experiment: experiment{spacing: 1, next: never, urgent: never},
	}
	a.round()
	return a
}

// adaptive is the state of Adaptive. Moments are State.Now's, but for the
// grid of experiments, which is in nanoseconds of the wall clock; statistics
// are in seconds.
type adaptive struct {
	eagerness, least, most float64

	limit    float64 // fractional
	dither   float64 // what is added before rounding down
	whole    int     // the limit in calls; see round
	cause    cause
	awaiting int // calls started whose answers have not come

	roundSums
	estimate
	opening *opening // nil but in the first round

	goodLimit, goodLow float64 // of the latest round without undue queue

	// What slow start compares with.
	plateauRate, plateauInFlight float64

	// Those that are small have their places side by side.
	flags
	jump
	calm   int8    // rounds in a row, held back, with hardly any queue; no more than far
	growth float32 // by which share per round, in slow start

	loss
	refusal
	experiment
}

// flags are most of what is so or not, in one place since a program may keep an Adaptive
// for each of a hundred thousand hosts.
type flags struct {
	heldBack  bool // somebody waits because of the limit
	stopped   bool // somebody waits for something else, with nothing in flight
	growing   bool // in slow start
	belowBase bool // the round before was surprisingly fast
	told      bool // the queue, by the far side: nothing is left to find out by experiment
	creeping  bool // a refusal has set the limit
	fresh     bool // the estimates are newer than the last experiment
}

// cause is why the limit is what it is, kept as numbers until somebody asks.
type cause struct {
	what string // a format with as many verbs as there are numbers
	why  [2]float32
}

// Reason says why the limit is what it is.
func (a *adaptive) Reason() string {
	if a.running {
		return fmt.Sprintf("experiment: %.0f of %.1f", a.lowered, a.limit)
	}
	switch c := a.cause; strings.Count(c.what, "%") {
	case 0:
		return c.what
	case 1:
		return fmt.Sprintf(c.what, c.why[0])
	default:
		return fmt.Sprintf(c.what, c.why[0], c.why[1])
	}
}

// set changes the limit, within its bounds, and keeps the reason.
func (a *adaptive) set(limit float64, what string, why ...float64) {
	limit = math.Max(a.least, math.Min(a.most, limit))
	if limit != a.limit {
		a.limit = limit
		a.cause = cause{what: what}
		for i, x := range why {
			a.cause.why[i] = float32(x)
		}
		a.round()
	}
}

// round sets the limit as a number of calls. The fraction is not lost: dither
// takes another value each round, so that 2.4 is 3 in two rounds of five. It is below 1,
// and the bounds are whole numbers, so it takes nothing beyond them.
func (a *adaptive) round() {
	if a.running {
		a.whole = int(math.Min(a.lowered, a.limit))
		return
	}
	a.whole = int(a.limit + a.dither)
}

// seconds is d.Seconds() without the care that takes for very long times.
func seconds(d time.Duration) float64 { return 1e-9 * float64(d) }

// duration is the time of so many seconds.
func duration(seconds float64) time.Duration { return time.Duration(seconds * 1e9) }

func (a *adaptive) Next(s State) (int, time.Duration) {
	a.account(s.Now)
	if a.running && s.Now >= a.deadline {
		a.conclude(s)
	}
	if s.Queued > 0 {
		a.heldBack = a.heldBack || s.InFlight >= a.whole
		a.stopped = s.InFlight == 0 // unless a call starts now
	}
	return a.whole, 0
}

func (a *adaptive) Start(s State) {
	a.account(s.Now)
	a.heldBack = false // if somebody still waits, the next question will say so
	if a.stopped {
		a.resumed()
	}
	a.episodeCount = 0 // there is no pause
	if a.rounds == 0 && a.successes == 0 && a.inFlight == 0 && a.awaiting == 0 {
		// The first round begins with the first call, however old the Limiter is.
		a.began, a.earliest, a.held = s.Now, s.Now+duration(leastRound), 0
	}
	a.awaiting++
	if a.running {
		a.enrol(s.Now)
	}
}

func (a *adaptive) Report(s State, r Result) {
	now := s.Now
	a.account(now)
	if a.awaiting > 0 {
		a.awaiting--
	}
	started, latency := now-r.Latency, seconds(r.Latency)
	switch r.Outcome {
	case Success:
		a.answered(started, latency)
		if r.Hinted {
			a.hinted(seconds(r.QueueDelay))
		}
	case Refused:
		a.refused(now)
	case Cancelled:
		// Given up long after an answer was due is as good as overdue; earlier
		// it says nothing. When an answer is due is reckoned without the queue,
		// or the queue would make giving up look early.
		if latency > 1.5*(a.mean-math.Max(0, a.low-a.base)) {
			a.overdue(started)
		} else {
			a.dismiss(started)
		}
	case Overdue:
		a.overdue(started)
	default:
		a.dismiss(started)
	}
	a.step(s)
}

// step does what is due: ends a round or an experiment, or begins one.
func (a *adaptive) step(s State) {
	switch {
	case a.running:
		if a.enough() || s.Now >= a.deadline {
			a.conclude(s)
		}
	case a.due(s.Now) && a.begin(s.Now):
	case a.over(s.Now):
		a.endRound(s)
	}
}
