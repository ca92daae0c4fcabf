package limiter_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bubble runs f in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// count yields 0, 1, …, n-1.
func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// acquire acquires a permit that there must be room for.
func acquire(t *testing.T, l *limiter.Limiter) limiter.Permit {
	t.Helper()
	p, ok := l.TryAcquire()
	if !ok {
		t.Fatalf("no room: %+v", l.Stats())
	}
	return p
}

// caller is a call of Acquire in a goroutine of its own.
type caller struct {
	cancel context.CancelFunc
	done   atomic.Bool
	permit limiter.Permit
	err    error
}

// ask has a goroutine call Acquire and returns when it has returned or waits.
func ask(ctx context.Context, l *limiter.Limiter) *caller {
	ctx, cancel := context.WithCancel(ctx)
	c := &caller{cancel: cancel}
	go func() {
		c.permit, c.err = l.Acquire(ctx)
		c.done.Store(true)
	}()
	synctest.Wait()
	return c
}

// admitted reports whether the caller has its permit.
func (c *caller) admitted() bool { return c.done.Load() && c.err == nil }

// checkCounts checks that every call is accounted for.
func checkCounts(t *testing.T, l *limiter.Limiter, asked int) {
	t.Helper()
	s := l.Stats()
	if got := s.Admitted + s.Rejected.Sum() + uint64(s.Queued); got != uint64(asked) {
		t.Errorf("%d calls asked, %d accounted for: %+v", asked, got, s)
	}
	if s.InFlight == 0 && s.Outcomes.Sum() != s.Admitted {
		t.Errorf("%d admitted, %d ended: %+v", s.Admitted, s.Outcomes.Sum(), s)
	}
}

// quiet checks that nothing is in flight and nothing waits.
func quiet(t *testing.T, l *limiter.Limiter) {
	t.Helper()
	if s := l.Stats(); s.InFlight != 0 || s.Queued != 0 {
		t.Errorf("%d in flight, %d queued at the end, want none", s.InFlight, s.Queued)
	}
}

func elapsed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
