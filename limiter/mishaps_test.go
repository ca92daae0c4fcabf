package limiter_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A caller whose deadline comes before the end of a pause, or before the next
// token, must not wait for what cannot come.
func TestCallerWaitsThoughItsWaitIsKnownToBeTooLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		paused := limiter.New(limiter.Fixed(10))
		p := acquire(t, paused)
		p.Pause(time.Minute)
		p.Release()
		spent := limiter.New(limiter.Rate(1.0/3600, 1))
		acquire(t, spent).Release()
		both := limiter.New(limiter.All(limiter.Rate(1.0/3600, 1), limiter.Fixed(5)), limiter.MaxWait(time.Minute))
		acquire(t, both).Release()
		for name, c := range map[string]struct {
			l     *limiter.Limiter
			retry time.Duration
		}{
			"paused": {paused, time.Minute}, "no token": {spent, time.Hour}, "no token within MaxWait": {both, time.Hour},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			var err error
			took := elapsed(func() { _, err = c.l.Acquire(ctx) })
			cancel()
			var r *limiter.RejectedError
			if took != 0 || !errors.As(err, &r) || (r.RetryAfter-c.retry).Abs() > time.Millisecond {
				t.Errorf("%s: after %v: %v, %+v", name, took, err, r)
			}
			checkCounts(t, c.l, 2)
		}
		// One that can make it waits.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if p, err := paused.Acquire(ctx); err != nil {
			t.Error(err)
		} else {
			p.Release()
		}
	})
}

// Rejections must say when it is worth while to come back, if that is known.
func TestRejectionHidesAKnownWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Rate(1.0/3600, 1), limiter.MaxQueue(0))
		acquire(t, l).Release()
		_, err := l.Acquire(t.Context())
		var r *limiter.RejectedError
		if !errors.As(err, &r) || r.Reason != limiter.QueueFull || (r.RetryAfter-time.Hour).Abs() > time.Millisecond {
			t.Errorf("%v, %+v", err, r)
		}
	})
}

// After a stall the line moves as before it, and those who come then must not
// be turned away for what is over.
func TestStallTurnsAwayThoseWhoComeAfterIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(4))
		ctx, cancel := context.WithCancel(t.Context())
		var stalled atomic.Int64 // until then, in nanoseconds
		for i := range uint64(60) {
			go func() {
				random := rand.New(rand.NewPCG(i, 2))
				for {
					p, err := l.Acquire(ctx)
					if err != nil {
						return
					}
					time.Sleep(time.Until(time.Unix(0, stalled.Load())))
					time.Sleep(time.Duration(random.ExpFloat64() * 5e6))
					p.Done(limiter.Success)
				}
			}()
		}
		for range 24 {
			sleep(time.Second)
			stalled.Store(time.Now().Add(5 * time.Second).UnixNano())
			sleep(5 * time.Second)
			for range 40 {
				sleep(5 * time.Millisecond)
				patience, done := context.WithTimeout(ctx, 500*time.Millisecond)
				p, err := l.Acquire(patience)
				done()
				if err != nil {
					t.Fatalf("turned away right after a stall, though the wait is 70 ms: %v", err)
				}
				p.Release()
			}
		}
		cancel()
		sleep(time.Minute)
	})
}

// A caller that has been put into the queue by a policy that then panics is
// gone: nobody would take the place that it is given.
func TestPanicWhileQueueingLeavesAGhostInLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := &panicking{Policy: limiter.Fixed(1)}
		l := limiter.New(&panicsWhileQueueing{panicking: p})
		held := acquire(t, l)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			p.set("next")
			_, _ = l.Acquire(t.Context())
		}()
		p.set("")
		second := ask(t.Context(), l)
		held.Release()
		synctest.Wait()
		if !second.admitted() {
			t.Fatal("the place went to a caller that is gone")
		}
		second.permit.Release()
		quiet(t, l)
		checkCounts(t, l, 3)
	})
}

// A panic of the policy stops whoever gives back a place before it can let the
// next one in. With nobody else to come, those in line would wait for ever.
func TestPanicInAReleaseLeavesTheLineWaiting(t *testing.T) {
	for _, in := range []string{"report", "next"} {
		bubble(t, func(t *testing.T) {
			// Once, since who is nudged asks at once, on another processor perhaps.
			p := &panicking{Policy: limiter.Fixed(1), once: true}
			l := limiter.New(p, limiter.MaxWait(time.Hour))
			held := acquire(t, l)
			first, second := ask(t.Context(), l), ask(t.Context(), l)
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("no panic in %s", in)
					}
				}()
				p.set(in)
				held.Done(limiter.Success)
			}()
			synctest.Wait()
			if !first.admitted() {
				t.Fatalf("a panic in %s: there is room, and %d wait", in, l.Stats().Queued)
			}
			first.permit.Release()
			synctest.Wait()
			second.permit.Release()
			if s := l.Stats(); s.Admitted != 3 {
				t.Errorf("%+v", s)
			}
			quiet(t, l)
		})
	}
}

// Who counts calls by what an observer sees must not be off by one for ever after a
// panic of the policy.
func TestPanicOfThePolicyHidesTheEndOfACall(t *testing.T) {
	p := &panicking{Policy: limiter.Fixed(1)}
	var last limiter.Event
	l := limiter.New(p, limiter.Observe(func(e limiter.Event) { last = e }))
	held := acquire(t, l)
	func() {
		defer func() { _ = recover() }()
		p.set("report")
		held.Done(limiter.Success)
	}()
	p.set("")
	l.Acquire(canceled(t)) // events are handed out by the next caller
	if last.Kind != limiter.Rejected || last.Seq != 4 {
		t.Errorf("the event after those of the limit, the admission and the end is %+v", last)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A policy that panics whenever it is asked fails all who wait, each with a panic of
// its own, and not one of them with silence.
func TestPolicyThatAlwaysPanicsKeepsSomebodyWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := &panicking{Policy: limiter.Fixed(1)}
		l := limiter.New(p)
		held := acquire(t, l)
		var panics atomic.Int32
		for range 10 {
			go func() {
				defer func() {
					if recover() != nil {
						panics.Add(1)
					}
				}()
				_, _ = l.Acquire(t.Context())
			}()
			synctest.Wait()
		}
		p.set("next")
		func() {
			defer func() { _ = recover() }()
			held.Release()
		}()
		synctest.Wait()
		if n := panics.Load(); n != 10 {
			t.Errorf("%d of 10 have heard of it", n)
		}
		quiet(t, l)
		checkCounts(t, l, 11)
	})
}

// panicsWhileQueueing panics when it is asked for the second time in a row.
type panicsWhileQueueing struct {
	*panicking
	again bool
}

func (p *panicsWhileQueueing) Next(s limiter.State) (int, time.Duration) {
	if p.again = !p.again; p.again {
		return p.Policy.Next(s)
	}
	return p.panicking.Next(s)
}

// A permit that a panic has made the Limiter forget is not a lost one: the call
// beside it still runs, and its key must stay.
func TestPanicMakesABusyKeyLookIdle(t *testing.T) {
	p := &panicking{Policy: limiter.Fixed(2)}
	made := 0
	k := limiter.NewKeyed(1, func(key string) *limiter.Limiter {
		if key != "a" {
			return limiter.New(limiter.Fixed(1))
		}
		made++
		return limiter.New(p)
	})
	first, _ := k.TryAcquire("a")
	second, _ := k.TryAcquire("a")
	func() {
		defer func() { _ = recover() }()
		p.set("report")
		first.Done(limiter.Success)
	}()
	p.set("")
	first = limiter.Permit{}
	for range 5 {
		runtime.GC()
		runtime.Gosched()
	}
	for i := range 5 {
		other, _ := k.TryAcquire(strconv.Itoa(i))
		other.Release()
	}
	if third, ok := k.TryAcquire("a"); ok {
		third.Release()
	}
	if made != 1 {
		t.Errorf("the limiter of a busy key was made %d times", made)
	}
	second.Release()
}

// An observer that is slower than the load delays callers, but must not keep one
// of them for as long as the load lasts.
func TestSlowObserverKeepsOneCallerForEver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		seen := uint64(0)
		l := limiter.New(limiter.Unlimited(), limiter.Observe(func(e limiter.Event) {
			if e.Seq != seen+1 {
				t.Errorf("event %d after %d", e.Seq, seen)
			}
			seen = e.Seq
			time.Sleep(40 * time.Millisecond)
		}))
		const callers, calls = 10, 200
		longest := make([]time.Duration, callers)
		for i := range callers {
			go func() {
				for range calls {
					longest[i] = max(longest[i], elapsed(func() {
						if p, ok := l.TryAcquire(); ok {
							p.Release()
						}
					}))
					time.Sleep(time.Millisecond)
				}
			}()
		}
		sleep(time.Hour)
		if want := uint64(1 + 2*callers*calls); seen != want { // the first is about the limit
			t.Errorf("%d events seen, want %d", seen, want)
		}
		for _, d := range longest {
			if d > 300*time.Millisecond {
				t.Errorf("a caller was kept for %v", d)
			}
		}
	})
}
