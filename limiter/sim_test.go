package limiter_test

import (
	"cmp"
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// world is a discrete-event simulation of callers, a policy for each client
// and one service. It drives policies directly, with no goroutine and no lock,
// so it is exact, deterministic for its seed, and some thousand times faster
// than real time.
type world struct {
	workers  func(t time.Duration) int // of the service, at any time
	service  func(r *rand.Rand) time.Duration
	path     func(t time.Duration) time.Duration // there and back; nil: none
	places   int                                 // in the service's queue; beyond them calls are refused; 0: no bound
	refusing func(t time.Duration) float64       // the share of calls that are refused whatever is in the queue; nil: none
	timeout  time.Duration                       // after which callers give up, though the service works on; 0: never
	callers  int                                 // of each client; each has one call at a time
	policies []limiter.Policy
	seed     uint64

	now    time.Duration
	events eventQueue
	seq    int
	random *rand.Rand
	busy   int
	line   []*simCall // waiting in the service
	client []*simClient
}

type simClient struct {
	policy   limiter.Policy
	inFlight int
	waiting  int
	limit    int
}

type simCall struct {
	client    *simClient
	at        time.Duration
	abandoned bool
}

// sample is what a window of a run has seen.
type sample struct {
	done, refused, timedOut int
	latencies               []time.Duration
	perClient               []int
	limits                  []int // one each 10 ms, of the first client
}

func (s *sample) mean() time.Duration {
	var sum time.Duration
	for _, l := range s.latencies {
		sum += l
	}
	return sum / time.Duration(max(1, len(s.latencies)))
}

func (s *sample) limitRange() (low, high int) { return slices.Min(s.limits), slices.Max(s.limits) }

// run runs the world for the durations one after the other and returns what
// was seen in each.
func (w *world) run(spans ...time.Duration) []*sample {
	w.random = rand.New(rand.NewPCG(w.seed, 1))
	for _, p := range w.policies {
		w.client = append(w.client, &simClient{policy: p, waiting: w.callers})
	}
	var seen []*sample
	for range spans {
		seen = append(seen, &sample{perClient: make([]int, len(w.policies))})
	}
	end, window := spans[0], 0
	tick := 10 * time.Millisecond
	next := tick
	for _, c := range w.client {
		w.admit(c)
	}
	for {
		if len(w.events) == 0 {
			w.schedule(event{at: next}) // only a policy's wait, or nothing, is left
		}
		e := heap.Pop(&w.events).(event)
		for e.at >= next {
			seen[window].limits = append(seen[window].limits, w.client[0].limit)
			if next >= end {
				if window++; window == len(spans) {
					return seen
				}
				end += spans[window]
			}
			next += tick
		}
		w.now = e.at
		s := seen[window]
		switch c := e.call; {
		case e.back != nil:
			e.back.waiting++
		case c == nil: // a policy asked to be asked again
		case e.what == left: // the service has done it
			w.busy--
			w.serve()
			if !c.abandoned {
				w.schedule(event{at: w.now + w.way(), call: c, what: answered})
			}
		case e.what == arrived:
			full := w.places > 0 && len(w.line) >= w.places && w.busy >= w.workers(w.now)
			if full || w.refusing != nil && w.random.Float64() < w.refusing(w.now) {
				w.schedule(event{at: w.now + w.way(), call: c, what: refusedByService})
				break
			}
			w.line = append(w.line, c)
			w.serve()
		case c.abandoned:
		case e.what == answered:
			c.abandoned = true
			s.done++
			s.perClient[slices.Index(w.client, c.client)]++
			s.latencies = append(s.latencies, w.now-c.at)
			w.finish(c, limiter.Success)
		case e.what == refusedByService:
			c.abandoned = true
			s.refused++
			w.finish(c, limiter.Refused)
		case e.what == gaveUp:
			c.abandoned = true
			s.timedOut++
			w.finish(c, limiter.Overdue)
		}
		for _, c := range w.client {
			w.admit(c)
		}
	}
}

// way is the time of one way between client and service.
func (w *world) way() time.Duration {
	if w.path == nil {
		return 0
	}
	return w.path(w.now) / 2
}

func (w *world) admit(c *simClient) {
	for c.waiting > 0 {
		limit, wait := c.policy.Next(limiter.State{Now: w.now, Epoch: &epoch, InFlight: c.inFlight, Queued: c.waiting})
		c.limit = limit
		if wait > 0 {
			w.schedule(event{at: w.now + wait})
			return
		}
		if c.inFlight >= limit {
			return
		}
		c.waiting--
		c.inFlight++
		c.policy.Start(limiter.State{Now: w.now, Epoch: &epoch, InFlight: c.inFlight, Queued: c.waiting})
		call := &simCall{client: c, at: w.now}
		w.schedule(event{at: w.now + w.way(), call: call, what: arrived})
		if w.timeout > 0 {
			w.schedule(event{at: w.now + w.timeout, call: call, what: gaveUp})
		}
	}
}

func (w *world) finish(call *simCall, o limiter.Outcome) {
	c := call.client
	c.policy.Report(limiter.State{Now: w.now, Epoch: &epoch, InFlight: c.inFlight, Queued: c.waiting},
		limiter.Result{Outcome: o, Latency: w.now - call.at})
	c.inFlight--
	if o == limiter.Success {
		c.waiting++
		return
	}
	// Whoever fails comes back a little later.
	w.schedule(event{at: w.now + time.Duration(w.random.ExpFloat64()*float64(100*time.Millisecond)), back: c})
}

func (w *world) serve() {
	for len(w.line) > 0 && w.busy < w.workers(w.now) {
		c := w.line[0]
		w.line = w.line[1:]
		w.busy++
		w.schedule(event{at: w.now + w.service(w.random), call: c, what: left})
	}
}

type happening uint8

const (
	arrived happening = iota
	left
	answered
	refusedByService
	gaveUp
)

type event struct {
	at   time.Duration
	seq  int
	call *simCall
	what happening
	back *simClient
}

func (w *world) schedule(e event) {
	w.seq++
	e.seq = w.seq
	heap.Push(&w.events, e)
}

type eventQueue []event

func (q eventQueue) Len() int      { return len(q) }
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q eventQueue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].at, q[j].at), cmp.Compare(q[i].seq, q[j].seq)) < 0
}
func (q *eventQueue) Push(x any) { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

func exponential(mean time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(mean)) }
}

func constantWorkers(n int) func(time.Duration) int { return func(time.Duration) int { return n } }

// becoming is one thing until a moment, and another from then on.
func becoming[T any](before T, at time.Duration, after T) func(time.Duration) T {
	return func(t time.Duration) T {
		if t < at {
			return before
		}
		return after
	}
}

// jain is Jain's fairness index: 1 when all are equal.
func jain(xs []int) float64 {
	var sum, squares float64
	for _, x := range xs {
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	return sum * sum / (float64(len(xs)) * math.Max(squares, 1))
}
