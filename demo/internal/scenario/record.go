package scenario

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/tidegate-go/tidegate/limiter"
)

// binLong is how finely the course of a run is kept.
const binLong = 100 * time.Millisecond

// A record is what has been seen of the calls of the clients that are judged.
type record struct {
	phases  []seen
	current *seen
	binEnds time.Duration

	submitted int // in all
	flying    int
	flownAt   time.Duration
}

// seen is what has been seen of one phase.
type seen struct {
	long     time.Duration
	counts   Counts
	clients  []int // successes of each, judged or not
	latency  time.Duration
	longest  time.Duration
	spread   *hdrhistogram.Histogram // of the latencies of successes, in units of latencyUnit
	bins     []bin
	inFlight float64 // ∫ dt, in call-seconds
	bin      bin     // being filled
}

// A bin is 100 ms of a run.
type bin struct {
	done    int
	latency time.Duration // sum
	limit   int           // at its end, of all clients together
	limits  []int         // of each, if there are several

	inFlight, waiting int // at its end
}

// Counts are how calls have ended.
type Counts struct {
	Succeeded int `json:"succeeded"`
	Refused   int `json:"refused"`   // by the server
	Overdue   int `json:"overdue"`   // in flight
	Cancelled int `json:"cancelled"` // in flight, by the caller
	Failed    int `json:"failed"`
	Shed      int `json:"shed"` // left or were sent off while they waited for the limiter
}

// Ended is how many calls have ended.
func (c Counts) Ended() int {
	return c.Succeeded + c.Refused + c.Overdue + c.Cancelled + c.Failed + c.Shed
}

// Lost is how many ended without an answer that was worth the trouble.
func (c Counts) Lost() int { return c.Ended() - c.Succeeded }

// latencyUnit is what latencies are rounded down to: less than what anybody
// would tell apart. The histogram adds up to 0.1 %.
const latencyUnit = 100 * time.Nanosecond

func newRecord(w *World) record {
	r := record{phases: make([]seen, len(w.Phases))}
	for i := range r.phases {
		r.phases[i] = seen{
			long:    w.Phases[i].Long,
			clients: make([]int, len(w.Phases[i].Clients)),
			spread:  hdrhistogram.New(1, int64(time.Hour/latencyUnit), 3),
		}
	}
	return r
}

func (r *record) enter(phase int, now time.Duration) {
	r.current = &r.phases[phase]
	r.binEnds = now + binLong
}

// fly counts a call that starts or ends.
func (r *record) fly(now time.Duration, d int) {
	r.current.inFlight += float64(r.flying) * (now - r.flownAt).Seconds()
	r.flownAt = now
	r.flying += d
}

func (r *record) ended(o limiter.Outcome, latency time.Duration) {
	s := r.current
	switch o {
	case limiter.Success:
		s.counts.Succeeded++
		s.latency += latency
		s.longest = max(s.longest, latency)
		s.bin.done++
		s.bin.latency += latency
		// What is longer than the histogram goes is kept as its longest.
		_ = s.spread.RecordValue(int64(min(latency, time.Hour) / latencyUnit))
	case limiter.Refused:
		s.counts.Refused++
	case limiter.Overdue:
		s.counts.Overdue++
	case limiter.Cancelled:
		s.counts.Cancelled++
	default:
		s.counts.Failed++
	}
}

func (r *record) dropped() { r.current.counts.Shed++ }

// enough reports whether n calls have succeeded, or so many have ended otherwise
// that n successes are not worth waiting for.
func (c *Counts) enough(n int) bool { return c.Succeeded >= n || c.Ended() >= 5*n }

// endBin closes a bin.
func (m *simulation) endBin() {
	r := &m.seen
	r.fly(m.now, 0)
	s := r.current
	s.bin.inFlight, s.bin.waiting = r.flying, m.server.waiting()
	if len(m.gates) > 1 {
		s.bin.limits = make([]int, len(m.gates))
	}
	for i := range m.gates {
		g := &m.gates[i]
		if g.open() && m.clients[i].counted() && !m.clients[i].Absent {
			if g.real != nil {
				g.limit = g.real.Limit()
			}
			limit := min(g.limit, 1<<30)
			s.bin.limit += limit
			if len(m.gates) > 1 {
				s.bin.limits[i] = limit
			}
		}
	}
	s.bins = append(s.bins, s.bin)
	s.bin = bin{}
	r.binEnds += binLong
}

// quantile of the latencies of successes.
func (s *seen) quantile(percent float64) time.Duration {
	if s.counts.Succeeded == 0 {
		return 0
	}
	return time.Duration(s.spread.ValueAtQuantile(percent)) * latencyUnit
}

func (s *seen) mean() time.Duration {
	if s.counts.Succeeded == 0 {
		return 0
	}
	return s.latency / time.Duration(s.counts.Succeeded)
}

// goodput is successes per second.
func (s *seen) goodput() float64 { return float64(s.counts.Succeeded) / s.long.Seconds() }
