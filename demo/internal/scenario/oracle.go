package scenario

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// An Oracle is the yardstick of a phase: the smallest fixed limit whose goodput
// is within 2 % of the best that any fixed limit has there, and what that limit
// achieves. It is searched by running the phase's setting under fixed limits,
// never derived from what is known of the server, with chance of its own and
// much longer than the phase, so that one oracle serves all seeds.
//
// Several clients are judged by one limit that all their callers share, as if
// somebody could see them all. A server whose goodput rises for ever with the
// limit has no such limit; see softKnee.
type Oracle struct {
	Limit   int           `json:"limit"` // of all clients together
	Goodput float64       `json:"goodput"`
	Best    float64       `json:"best"` // goodput of any fixed limit
	Mean    time.Duration `json:"mean"` // latency, as all times in nanoseconds
	P50     time.Duration `json:"p50"`
	P99     time.Duration `json:"p99"`
	Lost    float64       `json:"lost"` // share of calls

	// Fair is the goodput of each client if the total were divided fairly:
	// equally, but to nobody more than its callers could use.
	Fair []float64 `json:"fair,omitempty"`
}

const within = 0.98 // of the best goodput

// An effort is how many successes the runs of a search wait for.
type effort struct {
	coarse  int // of a run that looks roughly where the best is
	fine    int
	measure int // of the one that says what the oracle achieves
}

var usualEffort = effort{4_000, 25_000, 120_000}

// oracles keeps those that have been found, by what they were found for.
type oracles struct {
	effort effort // zero is the usual one
	mu     sync.Mutex
	found  map[string]*found
}

type found struct {
	once sync.Once
	Oracle
}

// of returns the oracle of a phase. Callers that want the same one wait for
// whoever looks for it.
func (o *oracles) of(p *Phase) Oracle {
	// The name of a phase is no part of what happens in it, nor are clocks to
	// fixed limits. %#v has every digit, where a String would round.
	s := p.each(func(_ int, c *Client) { c.ClockError, c.ClockWithin = 0, 0 })
	key := fmt.Sprintf("%#v", s)
	if p.Whole {
		key += fmt.Sprintf(" whole %v", p.Long)
	}
	o.mu.Lock()
	if o.found == nil {
		o.found = map[string]*found{}
	}
	f := o.found[key]
	if f == nil {
		f = new(found)
		o.found[key] = f
	}
	o.mu.Unlock()
	effort := o.effort
	if effort.measure == 0 {
		effort = usualEffort
	}
	f.once.Do(func() { f.Oracle = effort.search(p) })
	return f.Oracle
}

// trial is what a fixed limit achieves in a phase.
func trial(p *Phase, limit, successes int) *seen {
	fixed := func(int) limiter.Policy { return limiter.Fixed(limit) }
	settle := *p
	settle.Long = settlingTime(&p.Setting)
	look := *p
	look.Long = 4000 * time.Second
	w := &World{Phases: []Phase{settle, look}}
	if p.Whole {
		w.Phases = []Phase{*p}
		successes = math.MaxInt / 8
	}
	m := newSimulation(w, 1, true, fixed)
	m.enough = successes
	m.atLeast = 3 * time.Second
	if p.Server.StallEvery > 0 {
		m.atLeast = 12 * p.Server.StallEvery
	}
	m.run()
	return &m.seen.phases[len(w.Phases)-1]
}

// settlingTime is how long a setting is left alone before it is measured: what
// is in flight at the start has to have ended, timeouts and all.
func settlingTime(s *Setting) time.Duration {
	long := 2 * time.Second
	for i := range s.Clients {
		c := &s.Clients[i]
		long = max(long, 20*(s.Server.Service.Mean()+c.Path), 3*c.Timeout, 3*c.MaxWait, 2*c.Body.Mean())
	}
	return long.Truncate(binLong) + binLong
}

// search finds the oracle.
func (e effort) search(p *Phase) Oracle {
	most := mostUseful(&p.Setting)
	if knee := softKnee(&p.Server); knee > 0 {
		return e.oracle(p, min(knee, most), 0)
	}
	// Roughly: doubling, until goodput has stopped growing for good.
	best, at, goodput := 0.0, 1, map[int]float64{}
	for n, poor := 1, 0; n < 2*most && poor < 4; n *= 2 {
		n := min(n, most)
		g := trial(p, n, e.coarse).goodput()
		poor++
		if g > 1.01*best {
			poor = 0
		}
		if g > best {
			best, at = g, n
		}
	}
	// Finely, around that. The best of several has had luck, but all have the
	// same luck, since the same calls come in the same order.
	best = 0
	look := func(n int) float64 {
		g, ok := goodput[n]
		if !ok {
			g = trial(p, n, e.fine).goodput()
			goodput[n] = g
		}
		return g
	}
	for _, n := range []int{at / 2, at * 3 / 4, at, at * 3 / 2, at * 2} {
		if n >= 1 && n <= most {
			best = math.Max(best, look(n))
		}
	}
	high := min(most, 2*at)
	for n := range goodput {
		if goodput[n] >= within*best {
			high = min(high, n)
		}
	}
	low := 0 // gives too little
	for n, g := range goodput {
		if n < high && g < within*best {
			low = max(low, n)
		}
	}
	for high-low > 1 {
		middle := (low + high) / 2
		if look(middle) >= within*best {
			high = middle
		} else {
			low = middle
		}
	}
	return e.oracle(p, high, best)
}

// mostUseful is the highest limit that is worth a trial.
func mostUseful(s *Setting) int {
	callers, searching := 0, 0
	for i := range s.Clients {
		c := &s.Clients[i]
		if c.Absent || !c.counted() {
			continue
		}
		searching++
		if c.Rate > 0 {
			callers = math.MaxInt32
		} else {
			callers = min(callers+c.Callers, math.MaxInt32)
		}
	}
	return max(1, min(callers, searching*mostLimit))
}

// softKnee is where a server without a hard knee has the greatest power X²/W
// (Kleinrock), that is where its elasticity dlnX/dlnN has fallen to a third. A
// Sharing server with contention alone, X ~ n/(1+Sigma(n-1)), has it at
// 2(1-Sigma)/Sigma; its goodput grows with every call, so that "within 2 % of
// the best" would be a matter of how many callers there happen to be. It is 0
// for every other server.
func softKnee(s *Server) int {
	if s.Kind != Sharing || s.Workers > 0 || s.Kappa > 0 || s.Sigma == 0 {
		return 0
	}
	return int(math.Max(1, 2*(1-s.Sigma)/s.Sigma+1e-9))
}

// oracle measures what a limit achieves.
func (e effort) oracle(p *Phase, limit int, best float64) Oracle {
	s := trial(p, limit, e.measure)
	o := Oracle{
		Limit: limit, Goodput: s.goodput(), Best: math.Max(best, s.goodput()), Mean: s.mean(), P50: s.quantile(50), P99: s.quantile(99),
		Lost: float64(s.counts.Lost()) / math.Max(1, float64(s.counts.Ended())),
	}
	o.Fair = fair(&p.Setting, o)
	return o
}

// fair divides the goodput of o among the clients: in equal parts, and what one
// cannot use among the others.
func fair(s *Setting, o Oracle) []float64 {
	shares := make([]float64, len(s.Clients))
	open := map[int]float64{} // what could be used
	for i := range s.Clients {
		c := &s.Clients[i]
		switch {
		case c.Absent || !c.counted():
		case c.Rate > 0:
			open[i] = c.Rate
		default:
			open[i] = float64(c.Callers) / math.Max(1e-9, (o.Mean+c.Think.Mean()).Seconds())
		}
	}
	left := o.Goodput
	for len(open) > 0 {
		part := left / float64(len(open))
		satisfied := false
		for i := range s.Clients {
			if use, ok := open[i]; ok && use <= part {
				shares[i] = use
				left -= use
				delete(open, i)
				satisfied = true
			}
		}
		if !satisfied {
			for i := range open {
				shares[i] = part
			}
			break
		}
	}
	return shares
}
