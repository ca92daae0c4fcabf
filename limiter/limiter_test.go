package limiter_test

import (
	"context"
	"errors"
	"slices"
	"strings"
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

func TestRejectedWaiterCountsAsWaitingLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		p := acquire(t, l)
		c := ask(t.Context(), l)
		time.Sleep(time.Second)
		c.cancel()
		synctest.Wait()
		l.SetPolicy(limiter.Fixed(2))
		acquire(t, l).Release()
		p.Release()
		if w := l.Stats().Waiting; w.Count != 0 {
			t.Errorf("%+v, though nobody was admitted after a wait", w)
		}
	})
}
