package limiter

import (
	"fmt"
	"math"
	"time"
)

// Gradient2 returns the Policy of Gradient2Limit of Netflix concurrency-limits
// behind its WindowedLimit, which is how it is meant to be used. It compares the
// mean latency of a window of a second with a long average of such means:
//
//	long     = the mean of the first 10 windows, and then an exponential
//	           average over 600: long + 2/601 × (latency − long)
//	gradient = Tolerance × long / latency, from 0.5 to 1
//	limit    = (1 − Smoothing) × limit + Smoothing × (limit × gradient + Queue)
//
// A window with fewer than 10 calls is thrown away, and calls faster than
// 100 µs do not count. When in flight never reached half of the limit, the
// limit stays. When long is more than twice the latency, it also falls by 5 %
// with each window, so that it gets back to normal after a long overload.
//
// Source: Gradient2Limit.java, WindowedLimit.java and
// measurement/ExpAvgMeasurement.java of github.com/Netflix/concurrency-limits,
// read at commit f2528def. What it does that one might not expect is kept:
//
//   - Refused and overdue calls count as calls of that latency, and not as
//     losses: refusals that come fast look like fast service, and timeouts that
//     are all alike like a stable one.
//   - The first call ends a window of its own, which is thrown away.
//   - Within the first 10 windows the 5 % are forgotten by the next window.
//   - Min is 20, which is more than many services can do at once.
//
// Failure modes known: the long average follows the queue that the limit itself
// makes, so under lasting load the limit climbs for as long as the load lasts;
// a path that gets longer by more than Tolerance collapses the limit for many
// minutes; large services take minutes to reach, as the limit rises by
// Smoothing × Queue a second at most.
//
// Two things differ. The source looks at the calls in flight when a call
// started, and this at those when it ended, which is all that a Policy can see;
// and the length of windows can only be set, not be made to follow the latency.
// Failed, cancelled and ignored calls change nothing.
//
// It is here because people know it, and for comparison; [Adaptive] is the one
// to use. Gradient2 panics with a [*ConfigError] if c cannot be obeyed.
func Gradient2(c Gradient2Config) Policy {
	setRange(&c.Initial, &c.Min, &c.Max, 20, 20, 200)
	setDefault(&c.Tolerance, 1.5)
	setDefault(&c.Queue, 4)
	setDefault(&c.Smoothing, 0.2)
	setDefault(&c.Window, time.Second)
	checkRange("Gradient2Config", c.Initial, c.Min, c.Max)
	checkSmoothing("Gradient2Config", c.Smoothing)
	if !(c.Tolerance >= 1 && c.Tolerance <= 1000) {
		badConfig("Gradient2Config", "Tolerance", c.Tolerance, "from 1 to 1000")
	}
	if c.Queue < 1 || c.Queue > math.MaxInt32 {
		badConfig("Gradient2Config", "Queue", c.Queue, "at least 1 and at most "+itoa(math.MaxInt32))
	}
	checkInterval("Gradient2Config", "Window", c.Window)
	return &gradient2{Gradient2Config: c, limit: float64(c.Initial), ends: -1}
}

// Gradient2Config configures [Gradient2]. The zero value is what Netflix
// concurrency-limits uses.
type Gradient2Config struct {
	Initial int // the limit to start with; 0 means 20, or Min or Max if that is nearer
	Min     int // the least limit; 0 means 20, or Initial or Max if that is less
	Max     int // the greatest limit; 0 means 200, or Initial or Min if that is more

	// Tolerance is how many times its long average the latency may be before
	// the limit falls. From 1 to 1000; 0 means 1.5.
	Tolerance float64

	// Queue is the number of calls that may wait on the far side. At least 1;
	// 0 means 4.
	Queue int

	// Smoothing is the share of each change that is made. Above 0 and at most
	// 1; 0 means 0.2.
	Smoothing float64

	// Window is the time between changes of the limit. From 1 ms to a year; 0
	// means 1 s.
	Window time.Duration
}

type gradient2 struct {
	Gradient2Config
	limit float64

	// The window.
	ends     time.Duration
	calls    int
	total    float64 // of their latencies, in nanoseconds
	inFlight int     // the most

	// The long average, in nanoseconds.
	long    float64
	sum     float64
	windows int // up to warmUp

	// What moved the limit.
	gradient, latency, against float64
}

const (
	warmUp       = 10 // windows
	leastCalls   = 10 // of a window
	leastLatency = 100 * time.Microsecond
	longFactor   = 2.0 / (600 + 1)
)

func (g *gradient2) Next(State) (int, time.Duration) { return int(g.limit), 0 }
func (g *gradient2) Start(State)                     {}

// Reason says why the limit is what it is.
func (g *gradient2) Reason() string {
	if g.gradient == 0 {
		return "initial"
	}
	return fmt.Sprintf("gradient %.2f: latency %v, in the long run %v", g.gradient, readable(g.latency), readable(g.against))
}

func (g *gradient2) Report(s State, r Result) {
	if r.Outcome != Success && r.Outcome != Refused && r.Outcome != Overdue || r.Latency < leastLatency {
		return
	}
	g.calls++
	g.total += float64(r.Latency)
	g.inFlight = max(g.inFlight, s.InFlight)
	if s.Now <= g.ends {
		return
	}
	if g.calls >= leastCalls {
		g.learn(g.total / float64(g.calls))
	}
	g.ends = s.Now + g.Window
	g.calls, g.total, g.inFlight = 0, 0, 0
}

// learn takes the mean latency of a window.
func (g *gradient2) learn(latency float64) {
	if g.windows < warmUp {
		g.windows++
		g.sum += latency
		g.long = g.sum / float64(g.windows)
	} else {
		g.long += longFactor * (latency - g.long)
	}
	if g.long > 2*latency {
		g.long *= 0.95
	}
	if float64(g.inFlight) < g.limit/2 {
		return
	}
	gradient := max(0.5, min(1, g.Tolerance*g.long/latency))
	limit := (1-g.Smoothing)*g.limit + g.Smoothing*(g.limit*gradient+float64(g.Queue))
	limit = max(float64(g.Min), min(float64(g.Max), limit))
	if limit != g.limit {
		g.limit, g.gradient, g.latency, g.against = limit, gradient, latency, g.long
	}
}

// readable is a time in nanoseconds without digits that nobody wants to read.
func readable(ns float64) time.Duration { return time.Duration(ns).Round(time.Microsecond) }

// checkInterval checks a time between changes. It has an upper bound so that
// adding it to the time of day of a Limiter cannot overflow.
func checkInterval(of, field string, d time.Duration) {
	const year = 365 * 24 * time.Hour
	if d < time.Millisecond || d > year {
		badConfig(of, field, d, "from 1ms to "+year.String())
	}
}
