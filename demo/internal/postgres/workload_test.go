package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The hold is far shorter than 500 attempts take on a real server. Without the roll call the
// first tasks would be gone before the last ones come, and the count would be
// anything from 0 to 403.
func TestRefusalsDependOnSlotsAndNotOnSpeed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Server) {
		allFree(t, s)
		if s.UsableSlots() != 97 {
			t.Fatalf("usable slots = %d, want 97", s.UsableSlots())
		}
		w := s.NewWorkload(100 * time.Millisecond)
		start := time.Now()
		got := inParallel(t, 500, 0, func() error { return w.Own(t.Context()) })
		if want := (tally{ok: 97, tooMany: 403}); got != want {
			t.Errorf("of 500 tasks at once: %+v, want %+v", got, want)
		}
		if w.Opened() != 97 || w.Refused() != 403 {
			t.Errorf("opened %d, refused %d; want 97 and 403", w.Opened(), w.Refused())
		}
		t.Logf("%+v in %v", got, time.Since(start).Round(time.Millisecond))
	})
}

func TestLimitWithHeadroomIsNeverRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Server) {
		allFree(t, s)
		w := s.NewWorkload(10 * time.Millisecond)
		if got, want := inParallel(t, 20, 5, func() error { return w.Own(t.Context()) }), (tally{ok: 20}); got != want {
			t.Errorf("20 tasks, 5 at a time: %+v, want %+v", got, want)
		}
		if w.Opened() != 20 || w.Refused() != 0 {
			t.Errorf("opened %d, refused %d; want 20 and 0", w.Opened(), w.Refused())
		}
	})
}

// With 50 at a time a task waits for 49 others to be answered at most. A rule
// that made it wait for all 200 could never end.
func TestHoldDoesNotWaitForTasksThatHaveNotBegun(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Server) {
		allFree(t, s)
		w := s.NewWorkload(50 * time.Millisecond)
		start := time.Now()
		if got, want := inParallel(t, 200, 50, func() error { return w.Own(t.Context()) }), (tally{ok: 200}); got != want {
			t.Errorf("200 tasks, 50 at a time: %+v, want %+v", got, want)
		}
		t.Logf("%v, of which hold 200 ms", time.Since(start).Round(time.Millisecond))
	})
}

func TestPoolIsNeverRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Server) {
		allFree(t, s)
		w := s.NewWorkload(20 * time.Millisecond)
		p, err := w.OpenPool(t.Context(), 50)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if got, want := inParallel(t, 500, 0, func() error { return p.Do(t.Context()) }), (tally{ok: 500}); got != want {
			t.Errorf("500 tasks on a pool of 50: %+v, want %+v", got, want)
		}
		if w.Opened() < 1 || w.Opened() > 50 || w.Refused() != 0 {
			t.Errorf("opened %d, refused %d; want at most 50 and 0", w.Opened(), w.Refused())
		}
	})
}

// A pool that is larger than the server has slots is refused like anybody else,
// and says so.
func TestPoolTooLargeCountsItsRefusals(t *testing.T) {
	s := standInServer(t, 10) // 7 slots.
	w := s.NewWorkload(200 * time.Millisecond)
	p, err := w.OpenPool(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := inParallel(t, 20, 0, func() error { return p.Do(t.Context()) })
	if got.other != 0 || got.tooMany == 0 || w.Refused() < got.tooMany || w.Opened() > 7 {
		t.Errorf("%+v, opened %d, refused %d; want refusals and at most 7 opened", got, w.Opened(), w.Refused())
	}
}

func TestCancelInTheMiddleLeaksNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Server) {
		allFree(t, s)
		before := goleak.IgnoreCurrent()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := s.NewWorkload(time.Hour)
		go func() {
			// The slots are taken and some attempts are still on their way.
			for w.Opened() < 50 {
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Millisecond):
				}
			}
			cancel()
		}()
		start := time.Now()
		got := inParallel(t, 200, 0, func() error { return w.Own(ctx) })
		if got.ok != 0 || got.other != 0 || got.canceled == 0 {
			t.Errorf("%+v, want canceled and perhaps refused ones only", got)
		}
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("the tasks took %v to notice the cancellation", took)
		}
		if w.roll.low != w.roll.begun || len(w.roll.waiting) != 0 {
			t.Errorf("roll call is left with %d answered of %d and %d waiting", w.roll.low, w.roll.begun, len(w.roll.waiting))
		}
		if err := w.Own(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Own with a context that has ended: %v", err)
		}
		allFree(t, s)
		goleak.VerifyNone(t, before)

		again := s.NewWorkload(0)
		if got, want := inParallel(t, 50, 0, func() error { return again.Own(t.Context()) }), (tally{ok: 50}); got != want {
			t.Errorf("after the cancellation: %+v, want %+v: sessions were left behind", got, want)
		}
	})
}

func TestDeadlineIsToldFromRefusal(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Server) {
		allFree(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		w := s.NewWorkload(time.Hour)
		err := w.Own(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || IsTooMany(err) {
			t.Errorf("Own returned %v, want the deadline", err)
		}
		p, err := w.OpenPool(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Do returned %v, want the deadline", err)
		}
	})
}

func TestPoolOfNothingIsRejected(t *testing.T) {
	w := standInServer(t, 10).NewWorkload(0)
	for _, n := range []int{0, -1} {
		if _, err := w.OpenPool(t.Context(), n); !errors.Is(err, ErrBadConfig) {
			t.Errorf("a pool of %d: %v, want ErrBadConfig", n, err)
		}
	}
}
