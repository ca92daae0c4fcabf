package limiter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Gradient returns the Policy of the gradient controller of Envoy's adaptive
// concurrency filter. It measures the latency without a queue from time to time
// by going down to very few calls, and compares the median of every tenth of a
// second with it:
//
//	gradient = base × (1 + Buffer) / median latency, from 0.5 to 2
//	limit    = limit × gradient + √(limit × gradient), rounded down
//
// The root lets the limit grow while latency is what it should be. The base is
// the median latency of 50 calls that all started, and ended, while the limit
// was lowered to Min. It is measured at birth, again after each Probe and up to
// 15 % more by chance, and at once when five changes in a row have left the
// limit at Min, since a base that is too low looks like that.
//
// Source: source/extensions/filters/http/adaptive_concurrency/controller/
// gradient_controller.cc of github.com/envoyproxy/envoy, read at commit
// c35f67fb. What it does that one might not expect is kept:
//
//   - Every answer counts by its latency alone, refusals and errors too, and so
//     does our deadline, after which Envoy answers by itself: errors that come
//     fast look like fast service. Only cancelled and ignored calls do not count.
//   - It does not ask whether the limit is what holds calls back: with few calls
//     it climbs to Max, and the burst that follows finds no limit.
//   - Medians come from a histogram of two significant digits; calls that all
//     took 10 ms have a median of 10.5 ms.
//   - The least limit and the limit during measurements are the same number
//     (issue 46532 is about telling them apart).
//   - At a low rate the 50 calls of a measurement take long, and all the while
//     the limit is Min.
//
// Failure modes known: measurements cost throughput, more so the longer the
// latency; the base holds whatever queue is left over from before or is that of
// others, whose measurements are at other times; Buffer is relative, so it is a
// large queue where latency is long and none where it is short and uneven.
//
// Two things differ. Envoy has timers, and this looks at the time when calls
// ask, start and end; that makes a difference only to callers that wait while
// all calls in flight are slow, since they see a new limit when the first of
// those ends. And a latency below a microsecond, which Envoy cannot divide by,
// counts as one.
//
// It is here because people know it, and for comparison; [Adaptive] is the one
// to use. Gradient panics with a [*ConfigError] if c cannot be obeyed.
func Gradient(c GradientConfig) Policy {
	setDefault(&c.Max, max(1000, c.Min))
	setDefault(&c.Min, max(1, min(3, c.Max)))
	setDefault(&c.Buffer, 0.25)
	setDefault(&c.Update, 100*time.Millisecond)
	setDefault(&c.Probe, time.Minute)
	checkRange("GradientConfig", c.Min, c.Min, c.Max)
	if !(c.Buffer > 0 && c.Buffer <= 1) {
		badConfig("GradientConfig", "Buffer", c.Buffer, "above 0 and at most 1")
	}
	checkInterval("GradientConfig", "Update", c.Update)
	checkInterval("GradientConfig", "Probe", c.Probe)
	return &gradient{GradientConfig: c, limit: c.Min, probing: true, random: *rand.NewPCG(c.Seed, 0)}
}

// GradientConfig configures [Gradient]. The zero value is what Envoy uses, and
// for Update and Probe, which Envoy has no values for, what the example in its
// documentation does.
type GradientConfig struct {
	Min int // the limit during measurements, at the start, and at least; 0 means 3, or Max if that is less
	Max int // the greatest limit; 0 means 1000, or Min if that is more

	// Buffer is how much longer than the base the latency may be, as a share
	// of it, before the limit falls. Above 0 and at most 1; 0 means 0.25.
	Buffer float64

	Update time.Duration // time between changes of the limit, from 1 ms to a year; 0 means 100 ms
	Probe  time.Duration // time between measurements of the base, from 1 ms to a year; 0 means 60 s

	// Seed is what the moments of measurements follow from. Clients of one
	// service should have different ones, or all go down to Min together.
	Seed uint64
}

type gradient struct {
	GradientConfig
	limit   int  // but for measurements
	probing bool // a measurement is under way
	began   time.Duration
	atMin   int // changes in a row that have left the limit at Min

	nextUpdate, nextProbe time.Duration // unless one is under way

	base      time.Duration
	latencies histogram // since the latest change, or of the measurement
	random    rand.PCG

	// What the latest change was made of.
	gradient float64
	latency  time.Duration
}

const (
	probeCalls  = 50
	probeJitter = 0.15
	mostAtMin   = 5
)

func (g *gradient) Next(s State) (int, time.Duration) {
	g.advance(s.Now)
	if g.probing {
		return g.Min, 0
	}
	return g.limit, 0
}

func (g *gradient) Start(s State) { g.advance(s.Now) }

// Reason says why the limit is what it is.
func (g *gradient) Reason() string {
	switch {
	case g.probing:
		return "measuring the latency without a queue"
	case g.gradient == 0:
		return fmt.Sprintf("latency without a queue is %v", g.base)
	}
	return fmt.Sprintf("gradient %.2f: latency %v, without a queue %v", g.gradient, g.latency, g.base)
}

func (g *gradient) Report(s State, r Result) {
	g.advance(s.Now)
	if r.Outcome == Ignored || r.Outcome == Cancelled || s.Now-r.Latency < g.began {
		return // calls that are older than the measurement may have felt the limit before it
	}
	g.latencies.add(r.Latency)
	if g.probing && g.latencies.count >= probeCalls {
		g.conclude(s.Now)
	}
}

// advance does what Envoy's timers would have done by now. Whatever is in the
// histogram came before the first of them.
func (g *gradient) advance(now time.Duration) {
	if g.probing {
		return
	}
	if now >= g.nextUpdate && g.nextUpdate <= g.nextProbe {
		if g.latencies.count > 0 {
			g.change()
		}
		if g.atMin >= mostAtMin {
			g.nextProbe = g.nextUpdate
		}
		g.nextUpdate += (now-g.nextUpdate)/g.Update*g.Update + g.Update
	}
	if now >= g.nextProbe {
		g.probing, g.began, g.atMin = true, g.nextProbe, 0
		g.latencies = histogram{}
	}
}

// conclude ends a measurement.
func (g *gradient) conclude(now time.Duration) {
	g.probing, g.gradient = false, 0
	g.base = g.median()
	jitter := time.Duration(g.random.Uint64() % uint64(math.Ceil(probeJitter*float64(g.Probe))))
	g.nextUpdate, g.nextProbe = now+g.Update, now+g.Probe+jitter
}

// change sets the limit by the latencies of the latest interval.
func (g *gradient) change() {
	before := g.limit
	g.latency = g.median()
	g.gradient = max(0.5, min(2, float64(g.base)*(1+g.Buffer)/float64(g.latency)))
	limit := float64(g.limit) * g.gradient
	g.limit = max(g.Min, int(min(float64(g.Max), limit+math.Sqrt(limit))))
	if before == g.Min && g.limit == g.Min {
		g.atMin++
	} else {
		g.atMin = 0
	}
}

// median takes the median of the latencies and forgets them.
func (g *gradient) median() time.Duration {
	m := g.latencies.median()
	g.latencies = histogram{}
	return m
}
