package limiter_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestTenThousandTasksTakeLongerThanTheirWaves(t *testing.T) {
	task := func(ctx context.Context, i int) error {
		for range 3 {
			time.Sleep(100 * time.Millisecond)
		}
		return nil
	}
	for name, row := range map[string]struct {
		policy limiter.Policy
		want   time.Duration
	}{
		"unlimited":         {limiter.Unlimited(), 300 * time.Millisecond},
		"fixed":             {limiter.Fixed(2000), 1500 * time.Millisecond},
		"batch":             {limiter.Batch(2000), 1500 * time.Millisecond},
		"batch, remainder":  {limiter.Batch(3000), 1200 * time.Millisecond}, // 3 × 3000 and 1 × 1000
		"rate":              {limiter.Rate(1000, 1), 9999*time.Millisecond + 300*time.Millisecond},
		"rate, fixed":       {limiter.All(limiter.Rate(1000, 1), limiter.Fixed(5000)), 9999*time.Millisecond + 300*time.Millisecond},
		"rate beyond timer": {limiter.Rate(1e6, 1), 9999*time.Microsecond + 300*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := limiter.New(row.policy)
				if took := elapsed(func() {
					if err := limiter.ForEach(t.Context(), l, count(10_000), task); err != nil {
						t.Error(err)
					}
				}); took != row.want {
					t.Errorf("took %v, want exactly %v", took, row.want)
				}
				checkCounts(t, l, 10_000)
				quiet(t, l)
			})
		})
	}
}

func TestBatchDoesNotWaitForItsSlowest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Batch(3))
		durations := []time.Duration{1, 7, 2, 5, 5, 4, 9}
		took := elapsed(func() {
			_ = limiter.ForEach(t.Context(), l, slices.Values(durations), func(_ context.Context, d time.Duration) error {
				time.Sleep(d * time.Second)
				return nil
			})
		})
		if want := (7 + 5 + 9) * time.Second; took != want {
			t.Errorf("took %v, want the sum of the slowest, %v", took, want)
		}
	})
}

func TestWaitersStartOutOfOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		p := acquire(t, l)
		priorities := []int{0, 5, -1, 5, 0, 7, -1, 0}
		var callers []*caller
		for _, pr := range priorities {
			callers = append(callers, ask(limiter.WithPriority(t.Context(), pr), l))
		}
		served := map[int]bool{}
		for _, next := range []int{5, 1, 3, 0, 4, 7, 2, 6} { // by priority, then arrival
			p.Release()
			synctest.Wait()
			served[next] = true
			for i, c := range callers {
				if c.done.Load() != served[i] {
					t.Fatalf("when it is the turn of %d: caller %d has started: %v", next, i, c.done.Load())
				}
			}
			p = callers[next].permit
		}
		p.Release()
		checkCounts(t, l, 1+len(priorities))
		quiet(t, l)
	})
}

func TestFullQueueEvictsTheWrongOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1), limiter.MaxQueue(3))
		p := acquire(t, l)
		at := func(pr int) *caller { return ask(limiter.WithPriority(t.Context(), pr), l) }
		old, high, young := at(1), at(5), at(1)
		if same := at(1); !errors.Is(same.err, limiter.ErrQueueFull) {
			t.Errorf("an equal was let into a full queue: %v", same.err)
		}
		better := at(2)
		if better.done.Load() {
			t.Errorf("a more important call was turned away: %v", better.err)
		}
		if !errors.Is(young.err, limiter.ErrQueueFull) || !errors.Is(young.err, limiter.ErrRejected) {
			t.Errorf("the newest of the lowest class still waits: %v", young.err)
		}
		var rejected *limiter.RejectedError
		if !errors.As(young.err, &rejected) || rejected.Reason != limiter.Evicted || rejected.Limit != 1 || rejected.InFlight != 1 {
			t.Errorf("the eviction does not say how things stood: %#v", rejected)
		}
		for _, next := range []*caller{high, better, old} {
			p.Release()
			synctest.Wait()
			if !next.admitted() {
				t.Fatalf("out of order: %v", next.err)
			}
			p = next.permit
		}
		p.Release()
		checkCounts(t, l, 6)
		quiet(t, l)
	})
}

func TestMaxQueueZeroWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
		p := acquire(t, l)
		if _, err := l.Acquire(t.Context()); !errors.Is(err, limiter.ErrQueueFull) {
			t.Errorf("got %v", err)
		}
		p.Release()
		if p, err := l.Acquire(t.Context()); err != nil {
			t.Error(err)
		} else {
			p.Release()
		}
	})
}

func TestMaxWaitIsExceeded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1), limiter.MaxWait(3*time.Second))
		p := acquire(t, l)
		start := time.Now()
		_, err := l.Acquire(t.Context())
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("waited %v", took)
		}
		var timeout interface{ Timeout() bool }
		if !errors.Is(err, limiter.ErrMaxWait) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v", err)
		}
		if !strings.Contains(err.Error(), "after 3s") {
			t.Errorf("%q does not say how long", err)
		}
		p.Release()
		acquire(t, l).Release()
		checkCounts(t, l, 3)
		quiet(t, l)
	})
}

func TestEndedContextAcquires(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Unlimited())
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if _, err := l.Acquire(ctx); !errors.Is(err, cause) || !errors.Is(err, limiter.ErrRejected) {
			t.Errorf("got %v, want the context's cause", err)
		}
		checkCounts(t, l, 1)
	})
}

func TestDeadlineInQueueCannotBeTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		p := acquire(t, l)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Acquire(ctx)
		var r *limiter.RejectedError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, limiter.ErrRejected) || !errors.As(err, &r) || r.Reason != limiter.Deadline || !r.Timeout() {
			t.Errorf("got %v", err)
		}
		p.Release()
		quiet(t, l)
	})
}

func TestCancelledWaiterKeepsItsPlace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		p := acquire(t, l)
		first, second := ask(t.Context(), l), ask(t.Context(), l)
		first.cancel()
		synctest.Wait()
		if !errors.Is(first.err, context.Canceled) {
			t.Errorf("got %v", first.err)
		}
		p.Release()
		synctest.Wait()
		if !second.admitted() {
			t.Fatal("the place of a waiter that gave up is lost")
		}
		second.permit.Release()
		checkCounts(t, l, 3)
		quiet(t, l)
	})
}

// The peers' defect: a caller that gives up keeps the token that it waited for.
func TestCancelledWaiterSpendsARateToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Rate(1, 1))
		acquire(t, l).Release()
		for range 9 {
			c := ask(t.Context(), l)
			defer c.cancel()
			c.cancel()
		}
		synctest.Wait()
		start := time.Now()
		p, err := l.Acquire(t.Context())
		if took := time.Since(start); err != nil || took != time.Second {
			t.Errorf("waited %v for the next token, want 1s (%v)", took, err)
		}
		p.Release()
	})
}

func TestGrantRacingWithCancelLosesThePlace(t *testing.T) {
	for range 200 {
		bubble(t, func(t *testing.T) {
			l := limiter.New(limiter.Fixed(1))
			p := acquire(t, l)
			a, b := ask(t.Context(), l), ask(t.Context(), l)
			go a.cancel()
			go p.Release()
			synctest.Wait()
			if a.err == nil {
				a.permit.Release()
				synctest.Wait()
			}
			if !b.admitted() {
				t.Fatal("the place is lost between a grant and a cancellation")
			}
			b.permit.Release()
			checkCounts(t, l, 3)
			quiet(t, l)
		})
	}
}

func TestTryAcquireOvertakesAWaiter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Rate(1, 1))
		acquire(t, l).Release()
		c := ask(t.Context(), l)
		time.Sleep(time.Second - time.Nanosecond)
		if _, ok := l.TryAcquire(); ok {
			t.Error("overtook")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if !c.admitted() {
			t.Error("the waiter is not admitted when its token comes")
		}
		c.permit.Release()
	})
}

func TestStaleReleaseFreesAnothersPlace(t *testing.T) {
	l := limiter.New(limiter.Fixed(1))
	old := acquire(t, l)
	copied := old
	old.Release()
	current := acquire(t, l) // in the same place
	old.Release()
	copied.Release()
	copied.Report(limiter.Refused)
	copied.Pause(time.Hour)
	if s := l.Stats(); s.InFlight != 1 || s.Outcomes.Refused != 0 {
		t.Errorf("a stale permit still acts: %+v", s)
	}
	current.Report(limiter.Success)
	current.Report(limiter.Refused)
	current.Release()
	if s := l.Stats(); s.Outcomes.Success != 1 || s.Outcomes.Refused != 0 {
		t.Errorf("the second report counted: %+v", s)
	}
	limiter.Permit{}.Report(limiter.Success) // the zero Permit does nothing
	limiter.Permit{}.Pause(1)
	limiter.Permit{}.Release()
	checkCounts(t, l, 2)
}

func TestUnknownOutcomeCorruptsTheCounts(t *testing.T) {
	l := limiter.New(limiter.Fixed(1))
	p := acquire(t, l)
	p.Report(limiter.Outcome(200))
	p.Release()
	if s := l.Stats(); s.Outcomes.Ignored != 1 {
		t.Errorf("%+v", s)
	}
	checkCounts(t, l, 1)
}

func TestSetPolicyForgetsThoseWhoWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		p := acquire(t, l)
		a, b := ask(t.Context(), l), ask(t.Context(), l)
		l.SetPolicy(limiter.Fixed(2))
		synctest.Wait()
		if !a.admitted() || b.done.Load() {
			t.Fatalf("with one more place: first %v, second %v", a.done.Load(), b.done.Load())
		}
		l.SetPolicy(limiter.Fixed(1)) // below what is in flight
		p.Release()
		synctest.Wait()
		if b.done.Load() {
			t.Fatal("started above the new limit")
		}
		a.permit.Release()
		synctest.Wait()
		if !b.admitted() {
			t.Fatal("never started")
		}
		b.permit.Release()
		quiet(t, l)
	})
}

// recorder is a Policy that notes what it is told.
type recorder struct {
	limiter.Policy
	started, reported int
	last              time.Duration
	backwards         bool
}

func (r *recorder) see(s limiter.State) {
	r.backwards = r.backwards || s.Now < r.last
	r.last = s.Now
}

func (r *recorder) Next(s limiter.State) (int, time.Duration) { r.see(s); return r.Policy.Next(s) }
func (r *recorder) Start(s limiter.State)                     { r.see(s); r.started++; r.Policy.Start(s) }
func (r *recorder) Report(s limiter.State, x limiter.Result) {
	r.see(s)
	r.reported++
	r.Policy.Report(s, x)
}

func TestPolicyHearsOfAnothersCalls(t *testing.T) {
	before := &recorder{Policy: limiter.Fixed(9)}
	after := &recorder{Policy: limiter.Fixed(9)}
	l := limiter.New(before)
	p, q := acquire(t, l), acquire(t, l)
	q.Release() // without a report: Ignored
	l.SetPolicy(after)
	p.Report(limiter.Success)
	p.Release()
	if before.started != 2 || before.reported != 1 || after.started != 0 || after.reported != 0 {
		t.Errorf("before: %+v, after: %+v", before, after)
	}
}

func TestTimeRunsBackwardsForThePolicy(t *testing.T) {
	r := &recorder{Policy: limiter.Rate(1e5, 1)}
	l := limiter.New(limiter.All(r, limiter.Fixed(4)))
	_ = limiter.ForEach(t.Context(), l, count(2000), func(context.Context, int) error { return nil })
	if r.backwards {
		t.Error("Now went back")
	}
	if r.started != 2000 || r.reported != 2000 {
		t.Errorf("started %d, reported %d", r.started, r.reported)
	}
}

func TestPauseIsForgottenOrEndless(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(10), limiter.MaxPause(5*time.Second))
		p := acquire(t, l)
		p.Pause(time.Second)
		p.Pause(3 * time.Second)
		p.Pause(2 * time.Second) // ends earlier: changes nothing
		p.Pause(-time.Hour)
		if _, ok := l.TryAcquire(); ok {
			t.Error("started in a pause")
		}
		start := time.Now()
		if q, err := l.Acquire(t.Context()); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("waited %v (%v), want 3s", time.Since(start), err)
		} else {
			q.Release()
		}
		p.Pause(1000 * time.Hour)
		start = time.Now()
		if q, err := l.Acquire(t.Context()); err != nil || time.Since(start) != 5*time.Second {
			t.Errorf("waited %v (%v), want MaxPause", time.Since(start), err)
		} else {
			q.Release()
		}
		p.Release()
		quiet(t, l)
	})
}

func TestLostPermitIsLostForGood(t *testing.T) {
	l := limiter.New(limiter.Fixed(2))
	kept := acquire(t, l)
	_ = acquire(t, l) // lost at once
	for deadline := time.Now().Add(10 * time.Second); l.Stats().Leaked == 0; runtime.Gosched() {
		runtime.GC()
		if time.Now().After(deadline) {
			t.Fatal("a permit that is garbage is never recovered")
		}
	}
	if s := l.Stats(); s.Leaked != 1 || s.InFlight != 1 || s.Outcomes.Ignored != 1 {
		t.Errorf("%+v", s)
	}
	acquire(t, l).Release()
	kept.Release()
	quiet(t, l)
	checkCounts(t, l, 3)
}

func TestPolicyThatPanicsLeavesTheLockHeld(t *testing.T) {
	for name, in := range map[string]string{"next": "next", "start": "start", "report": "report", "reason": "reason"} {
		t.Run(name, func(t *testing.T) {
			p := &panicking{Policy: limiter.Fixed(1)}
			l := limiter.New(limiter.All(p, limiter.Fixed(1)), limiter.Observe(func(limiter.Event) {}))
			p.in = in
			func() {
				defer func() {
					if v := recover(); v != in {
						t.Errorf("recovered %v, want the panic in %s", v, in)
					}
				}()
				if permit, err := l.Acquire(t.Context()); err == nil {
					permit.Report(limiter.Success)
				}
				if in == "reason" {
					p.limit = -1
					l.TryAcquire()
				}
			}()
			done := make(chan struct{})
			go func() {
				defer close(done)
				l.Stats()
				l.SetPolicy(limiter.Fixed(5))
				acquire(t, l).Release()
			}()
			select {
			case <-done:
			case <-time.After(10 * time.Second):
				t.Fatal("the lock is still held")
			}
		})
	}
}

// panicking is a Policy that panics in one of its methods.
type panicking struct {
	limiter.Policy
	in    string
	limit int
}

func (p *panicking) blow(where string) {
	if p.in == where {
		panic(where)
	}
}

func (p *panicking) Next(s limiter.State) (int, time.Duration) {
	p.blow("next")
	limit, wait := p.Policy.Next(s)
	return limit + p.limit, wait
}
func (p *panicking) Start(limiter.State)                  { p.blow("start") }
func (p *panicking) Report(limiter.State, limiter.Result) { p.blow("report") }
func (p *panicking) Reason() string                       { p.blow("reason"); return "" }

func TestZeroLimiterRefuses(t *testing.T) {
	var l limiter.Limiter
	for range 3 {
		p, err := l.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.Report(limiter.Success)
		defer p.Release()
	}
	if s := l.Stats(); s.Limit != math.MaxInt || s.Admitted != 3 || s.InFlight != 3 || s.Outcomes.Success != 3 {
		t.Errorf("%+v", s)
	}
}

func TestManyCallersRaceForFewPlaces(t *testing.T) {
	policies := map[string]func() limiter.Policy{
		"fixed": func() limiter.Policy { return limiter.Fixed(3) },
		"batch": func() limiter.Policy { return limiter.Batch(3) },
		"adaptive": func() limiter.Policy {
			return limiter.All(limiter.Fixed(3), limiter.Adaptive(limiter.AdaptiveConfig{}))
		},
	}
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			l := limiter.New(policy(), limiter.MaxQueue(20), limiter.Observe(func(limiter.Event) {}))
			var running, most, asked int
			var mu sync.Mutex
			enter := func(n int) {
				mu.Lock()
				defer mu.Unlock()
				running += n
				most = max(most, running)
			}
			var wg sync.WaitGroup
			for g := range 16 {
				wg.Go(func() {
					for i := range 500 {
						ctx, cancel := context.WithCancel(limiter.WithPriority(t.Context(), i%3))
						if (g+i)%7 == 0 {
							go cancel()
						}
						p, err := l.Acquire(ctx)
						mu.Lock()
						asked++
						mu.Unlock()
						if err == nil {
							enter(1)
							runtime.Gosched()
							enter(-1)
							p.Report(limiter.Outcome(i % 6))
							go p.Release()
							p.Release()
						}
						cancel()
					}
				})
			}
			wg.Wait()
			if most > 3 {
				t.Errorf("%d ran at once", most)
			}
			checkCounts(t, l, asked)
			quiet(t, l)
		})
	}
}
