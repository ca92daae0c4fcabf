package limiter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Vegas returns the Policy of VegasLimit of Netflix concurrency-limits, a
// relative of TCP Vegas. It takes the least latency seen for the one without a
// queue, works out from each single call how many of those in flight are
// waiting, and keeps that number between two bounds that grow with the limit:
//
//	k     = ⌊log10 limit⌋, at least 1
//	queue = ⌈limit × (1 − least latency / latency)⌉
//
//	refused or overdue:       limit = limit − k
//	in flight < limit / 2:    no change: it is not the limit that holds calls back
//	queue ≤ k:                limit = limit + 6k
//	queue < 3k:               limit = limit + k
//	queue > 6k:               limit = limit − k
//
// Source: VegasLimit.java and functions/Log10RootFunction.java of
// github.com/Netflix/concurrency-limits, read at commit 7989055a. What it does
// that one might not expect is kept:
//
//   - A call that is the fastest so far sets the least latency and does nothing
//     else, even if it was refused: one refusal in a millisecond makes all that
//     follows look like a queue.
//   - After 30 × limit calls, less up to half of that by chance, the least
//     latency is forgotten and that of the next call, whatever it is, takes its
//     place.
//   - Each call moves the limit, so all calls of one round trip do.
//
// Failure modes known: the least of many uneven latencies is luck, so with a
// wide spread all else looks like a queue and the limit stays far too low; a
// path that gets longer looks like a queue until the next measurement; a
// measurement during overload takes the overload for normal.
//
// Two things differ. The source looks at the calls in flight when a call
// started, and this at those when it ended, which is all that a Policy can see;
// and a latency of 0, which the source refuses, counts as a nanosecond. Failed,
// cancelled and ignored calls change nothing.
//
// It is here because people know it, and for comparison; [Adaptive] is the one
// to use. Vegas panics with a [*ConfigError] if c cannot be obeyed.
func Vegas(c VegasConfig) Policy {
	setRange(&c.Initial, &c.Min, &c.Max, 20, 1, 1000)
	setDefault(&c.Smoothing, 1)
	checkRange("VegasConfig", c.Initial, c.Min, c.Max)
	checkSmoothing("VegasConfig", c.Smoothing)
	v := &vegas{VegasConfig: c, limit: float64(c.Initial), why: "initial", random: *rand.NewPCG(c.Seed, 0)}
	v.shuffle()
	return v
}

// VegasConfig configures [Vegas]. The zero value is what Netflix
// concurrency-limits uses.
type VegasConfig struct {
	Initial int // the limit to start with; 0 means 20, or Min or Max if that is nearer
	Min     int // the least limit; 0 means 1, which the source has for all
	Max     int // the greatest limit; 0 means 1000, or Initial or Min if that is more

	// Smoothing is the share of each change that is made. Above 0 and at most
	// 1; 0 means 1.
	Smoothing float64

	// Seed is what the moments at which the least latency is forgotten follow
	// from. Clients of one service should have different ones, or they do it
	// together, each in the queue of the others.
	Seed uint64
}

type vegas struct {
	VegasConfig
	limit   float64
	least   time.Duration // latency; 0 before the first
	samples int           // since it was forgotten
	jitter  float64       // share of the usual number of samples until it is
	random  rand.PCG

	why          string // a format for the two numbers, if there is a bound
	queue, bound int
}

func (v *vegas) Next(State) (int, time.Duration) { return int(v.limit), 0 }
func (v *vegas) Start(State)                     {}

// Reason says why the limit is what it is.
func (v *vegas) Reason() string {
	if v.bound == 0 {
		return v.why
	}
	return fmt.Sprintf(v.why, v.queue, v.bound)
}

func (v *vegas) Report(s State, r Result) {
	lost := r.Outcome == Refused || r.Outcome == Overdue
	if !lost && r.Outcome != Success {
		return
	}
	latency := max(r.Latency, 1)
	v.samples++
	switch {
	case float64(v.samples) >= v.jitter*30*v.limit:
		v.samples, v.least = 0, latency
		v.shuffle()
		return
	case v.least == 0 || latency < v.least:
		v.least = latency
		return
	}
	k := digits(int(v.limit))
	queue := int(math.Ceil(v.limit * (1 - float64(v.least)/float64(latency))))
	switch {
	case lost:
		v.change(-k, r.Outcome.String(), 0, 0)
	case float64(2*s.InFlight) < v.limit:
	case queue <= k:
		v.change(6*k, "queue %d, at most %d", queue, k)
	case queue < 3*k:
		v.change(k, "queue %d below %d", queue, 3*k)
	case queue > 6*k:
		v.change(-k, "queue %d above %d", queue, 6*k)
	}
}

func (v *vegas) change(by int, why string, queue, bound int) {
	limit := max(float64(v.Min), min(float64(v.Max), v.limit+float64(by)))
	limit = (1-v.Smoothing)*v.limit + v.Smoothing*limit
	if limit != v.limit {
		v.limit, v.why, v.queue, v.bound = limit, why, queue, bound
	}
}

// shuffle draws the jitter, at least a half and below 1.
func (v *vegas) shuffle() { v.jitter = 0.5 + float64(v.random.Uint64()>>11)/(1<<54) }

// digits is ⌊log10 n⌋, at least 1.
func digits(n int) int {
	k := 1
	for ; n >= 100; n /= 10 {
		k++
	}
	return k
}

func checkSmoothing(of string, s float64) {
	if !(s > 0 && s <= 1) {
		badConfig(of, "Smoothing", s, "above 0 and at most 1")
	}
}
