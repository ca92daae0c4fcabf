package limiter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// growing allows one more call with every second.
type growing struct{ born time.Duration }

func (g *growing) Next(s limiter.State) (int, time.Duration) {
	if g.born == 0 {
		g.born = s.Now
	}
	return 1 + int((s.Now-g.born)/time.Second), 0
}
func (*growing) Start(limiter.State)                  {}
func (*growing) Report(limiter.State, limiter.Result) {}

// A policy may find by the time alone that there is room, and then it is the
// next to come who sees that: if only the first in line asked, those who wait
// would do so until a call ended.
func TestRoomThatTimeHasMadeIsNotSeenByWhoComes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(&growing{})
		slow := acquire(t, l)
		first := ask(t.Context(), l)
		sleep(time.Second)
		second := ask(t.Context(), l)
		if !first.admitted() || second.done.Load() {
			t.Errorf("first admitted: %v, second done: %v", first.admitted(), second.done.Load())
		}
		slow.Release()
		sleep(0)
		first.permit.Release()
		sleep(0)
		second.permit.Release()
		quiet(t, l)
	})
}

// A hint that comes after the report is too late, and must not become the
// latency that the observer is told.
func TestHintAfterTheReportBecomesTheLatency(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var last limiter.Event
		l := limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{}), limiter.Observe(func(e limiter.Event) { last = e }))
		p := acquire(t, l)
		sleep(time.Second)
		p.Report(limiter.Success)
		p.QueueDelay(time.Hour)
		p.Release()
		if last.Kind != limiter.Finished || last.Latency != time.Second {
			t.Errorf("%+v, want a call of 1s that has finished", last)
		}
	})
}

// Whoever ends the work in the very moment in which a value is admitted has said
// why, and ForEach must pass that on.
func TestForEachForgetsWhyItWasEnded(t *testing.T) {
	why := errors.New("the disk is full")
	ctx, end := context.WithCancelCause(t.Context())
	l := limiter.New(limiter.Fixed(1), limiter.Observe(func(e limiter.Event) {
		if e.Kind == limiter.Admitted {
			end(why)
		}
	}))
	err := limiter.ForEach(ctx, l, count(3), func(context.Context, int) error {
		t.Error("a call starts after the end")
		return nil
	})
	if err != why { // it is to be the very error
		t.Errorf("%v, want %v", err, why)
	}
	quiet(t, l)
}

// What runs between the choice of a Limiter and its Acquire must not have it forgotten:
// the next to come would get a Limiter of their own, and the limit would hold for each.
func TestKeyIsForgottenBeforeItsCallStarts(t *testing.T) {
	made := 0
	k := limiter.NewKeyed(1, func(key string) *limiter.Limiter {
		if key == "a" {
			made++
		}
		return limiter.New(limiter.Fixed(1))
	})
	use := func(key string) {
		p, _ := k.TryAcquire(key)
		p.Release()
	}
	ctx := asked{t.Context(), func() { use("b"); use("a") }}
	if _, err := limiter.DoKeyed(ctx, k, "a", func(context.Context) (int, error) { return 0, nil }); err != nil {
		t.Error(err)
	}
	if made != 1 {
		t.Errorf("the limiter of a key in use was made %d times", made)
	}
}

// An asked context calls a function when it is asked whether it has ended.
type asked struct {
	context.Context
	f func()
}

func (a asked) Err() error { a.f(); return a.Context.Err() }

// Gradient changes its limit ten times a second, but not for the time in which there was
// nothing to go by: or the first answers after a silence would each change it.
func TestGradientMakesUpForASilence(t *testing.T) {
	g := limiter.Gradient(limiter.GradientConfig{})
	now := time.Duration(0)
	answer := func() (limit int) {
		now += time.Millisecond
		g.Report(limiter.State{Now: now, InFlight: 1}, limiter.Result{Outcome: limiter.Success, Latency: time.Millisecond})
		limit, _ = g.Next(limiter.State{Now: now})
		return limit
	}
	for range 50 { // measures latency without a queue
		answer()
	}
	now += 10 * time.Second
	first := answer()
	for range 50 {
		if limit := answer(); limit != first {
			t.Fatalf("limit %d, and %d a moment later", first, limit)
		}
	}
	now += 100 * time.Millisecond
	if limit := answer(); limit <= first {
		t.Errorf("limit %d a tenth of a second after %d, want more", limit, first)
	}
}
