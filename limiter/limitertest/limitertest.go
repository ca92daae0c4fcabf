// Package limitertest checks implementations of [limiter.Policy], in the manner
// of testing/slogtest. A test of a policy of one's own is one line:
//
//	func TestOffice(t *testing.T) {
//		limitertest.Run(t, func() limiter.Policy { return office{} })
//	}
//
// It checks what a Limiter relies on and a mistake in which shows only under
// load, or never while anybody looks: that asking changes nothing, that the
// policy is a function of what it is told (no clock, no randomness of its own),
// that it never stops for good, and that calls through a Limiter all end.
package limitertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// scripts is how many random histories each check goes through, and length how
// many events there are in each.
const (
	scripts = 50
	length  = 400
)

// Run runs the checks on policies made by create, which must return a new one
// each time. Each check is a subtest. A policy that lets no call start within
// an hour of nothing in flight counts as one that has stopped.
func Run(t *testing.T, create func() limiter.Policy) {
	t.Helper()
	if create == nil || create() == nil {
		t.Fatal("limitertest: create must return a Policy")
	}
	t.Run("asking changes nothing", func(t *testing.T) {
		everyScript(t, create, func(h *history) {
			limit, wait := h.ask()
			for range 3 {
				if l, w := h.ask(); l != limit || w != wait {
					h.t.Fatalf("%v: Next said (%d, %v) and then (%d, %v)", h, limit, wait, l, w)
				}
			}
		})
	})
	t.Run("same history, same answers", func(t *testing.T) {
		for seed := range uint64(scripts) {
			a, b := newHistory(t, seed, create()), newHistory(t, seed, create())
			for range length {
				a.step()
				b.step()
				la, wa := a.ask()
				lb, wb := b.ask()
				if la != lb || wa != wb {
					t.Fatalf("%v: two policies were told the same and say (%d, %v) and (%d, %v): is there a clock, or randomness without a seed?", a, la, wa, lb, wb)
				}
			}
		}
	})
	if _, ok := create().(limiter.Clockless); ok {
		t.Run("clockless, so no time changes its answers", func(t *testing.T) {
			for seed := range uint64(scripts) {
				a, b := newHistory(t, seed, create()), newHistory(t, seed, create())
				b.stopped = true
				for range length {
					a.step()
					b.step()
					la, wa := a.ask()
					lb, wb := b.ask()
					if la != lb || wa != wb {
						t.Fatalf("%v: it says (%d, %v), and (%d, %v) when State.Now is always 0", a, la, wa, lb, wb)
					}
				}
			}
		})
	}
	t.Run("never stops for good", func(t *testing.T) {
		everyScript(t, create, func(h *history) {
			if h.steps%20 == 0 {
				h.drain()
				h.mustStart()
			}
		})
	})
	if t.Failed() {
		return // it might not end
	}
	t.Run("calls through a Limiter all end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { throughLimiter(t, create()) })
	})
}

// everyScript plays random histories and checks after each event.
func everyScript(t *testing.T, create func() limiter.Policy, check func(h *history)) {
	t.Helper()
	for seed := range uint64(scripts) {
		h := newHistory(t, seed, create())
		check(h) // also a policy that has seen nothing
		for range length {
			h.step()
			check(h)
		}
	}
}

// epoch is any wall time.
var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A history plays a Limiter: it tells a policy of calls that start and end.
type history struct {
	t       *testing.T
	seed    uint64
	steps   int
	random  *rand.Rand
	policy  limiter.Policy
	now     time.Duration
	stopped bool            // the policy is not told the time
	running []time.Duration // starts of the calls in flight
	queued  int
	last    string
}

func newHistory(t *testing.T, seed uint64, p limiter.Policy) *history {
	return &history{
		t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 7)), policy: p,
		now: 1, last: "nothing",
	}
}

// String says where in which history one is.
func (h *history) String() string {
	return fmt.Sprintf("history %d, event %d (%s), %d in flight", h.seed, h.steps, h.last, len(h.running))
}

func (h *history) state(queued int) limiter.State {
	if h.stopped {
		return limiter.State{InFlight: len(h.running), Queued: queued}
	}
	return limiter.State{Now: h.now, Epoch: &epoch, InFlight: len(h.running), Queued: queued}
}

func (h *history) ask() (int, time.Duration) { return h.policy.Next(h.state(h.queued + 1)) }

// step lets some time pass and then one thing happen.
func (h *history) step() {
	h.steps++
	switch h.random.IntN(50) {
	case 0:
		h.now += time.Duration(h.random.Int64N(int64(100 * time.Hour)))
	case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10: // none
	default:
		h.now += time.Duration(h.random.ExpFloat64() * float64(5*time.Millisecond))
	}
	if len(h.running) > 0 && h.random.IntN(2) == 0 {
		h.end(h.random.IntN(len(h.running)))
		return
	}
	limit, wait := h.ask()
	if len(h.running) >= limit || wait > 0 {
		h.last = "held back"
		h.queued = min(h.queued+1, 1000)
		return
	}
	h.last = "start"
	h.queued = max(0, h.queued-1)
	h.running = append(h.running, h.now)
	h.policy.Start(h.state(h.queued))
}

func (h *history) end(i int) {
	start := h.running[i]
	outcome := limiter.Success
	if h.random.IntN(4) == 0 {
		outcome = limiter.Outcome(h.random.IntN(6))
	}
	h.last = outcome.String()
	h.policy.Report(h.state(h.queued), h.result(outcome, start))
	h.running = append(h.running[:i], h.running[i+1:]...)
}

func (h *history) result(o limiter.Outcome, start time.Duration) limiter.Result {
	if h.stopped {
		return limiter.Result{Outcome: o}
	}
	return limiter.Result{Outcome: o, Latency: h.now - start}
}

func (h *history) drain() {
	for len(h.running) > 0 {
		h.end(0)
	}
}

// mustStart has a call start with nothing in flight, after whatever waits the
// policy asks for.
func (h *history) mustStart() {
	h.t.Helper()
	deadline := h.now + time.Hour
	for asked := 0; ; asked++ {
		limit, wait := h.ask()
		switch {
		case asked == 10_000:
			h.t.Fatalf("%v: with nothing in flight there is always another wait, the last one of %v: no call will ever start", h, wait)
		case wait <= 0 && limit >= 1:
			return
		case wait <= 0:
			h.t.Fatalf("%v: limit %d with nothing in flight and no wait: no call will ever start", h, limit)
		case wait > deadline-h.now:
			h.t.Fatalf("%v: with nothing in flight no call may start within an hour: (%d, %v)", h, limit, wait)
		}
		h.now += wait
	}
}

// throughLimiter sends calls of every outcome through a Limiter.
func throughLimiter(t *testing.T, p limiter.Policy) {
	const callers, calls = 20, 50
	l := limiter.New(p)
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	var wg sync.WaitGroup
	for caller := range callers {
		random := rand.New(rand.NewPCG(uint64(caller), 3))
		wg.Go(func() {
			for range calls {
				permit, err := l.Acquire(ctx)
				if err != nil {
					t.Errorf("a call never started: %v", err)
					return
				}
				time.Sleep(time.Duration(random.ExpFloat64() * float64(10*time.Millisecond)))
				permit.Report(limiter.Outcome(random.IntN(6)))
				permit.Release()
			}
		})
	}
	wg.Wait()
	if s := l.Stats(); s.InFlight != 0 || s.Queued != 0 || s.Admitted != s.Outcomes.Sum() {
		t.Errorf("at the end: %+v", s)
	}
}
