package limiter_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

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
	mu    sync.Mutex
	in    string
	once  bool
	limit int
}

func (p *panicking) set(in string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = in
}

func (p *panicking) blow(where string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.in == where {
		if p.once {
			p.in = ""
		}
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

// A waiter whose admission makes the policy panic has its place all the same.
func TestPanicInStartLeavesAWaiterWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := &panicking{Policy: limiter.Fixed(1)}
		l := limiter.New(p)
		first := acquire(t, l)
		c := ask(t.Context(), l)
		p.in = "start"
		func() {
			defer func() { _ = recover() }()
			first.Release()
		}()
		synctest.Wait()
		p.in = ""
		if !c.admitted() {
			t.Fatalf("still waiting: %v", c.err)
		}
		c.permit.Release()
		quiet(t, l)
	})
}

// What is lost in a panic must not be taken out of flight a second time.
func TestPanicWhileAWaiterGivesUpFreesAnothersPlace(t *testing.T) {
	p := &panicking{Policy: limiter.Fixed(1)}
	l := limiter.New(p)
	held := acquire(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		_, _ = l.Acquire(ctx)
	}()
	go func() {
		for admitted := false; !admitted; { // it may hear of the panic, too
			func() {
				defer func() { _ = recover() }()
				_, err := l.Acquire(t.Context())
				admitted = err == nil
			}()
		}
	}()
	for l.Stats().Queued < 2 {
		runtime.Gosched()
	}
	p.set("next")
	cancel()
	<-done
	p.set("")
	for range 20 {
		runtime.GC()
		runtime.Gosched()
		if s := l.Stats(); s.InFlight != 1 || s.Leaked != 0 {
			t.Fatalf("%+v with one permit out", s)
		}
	}
	held.Release()
	for l.Stats().Admitted < 2 {
		runtime.Gosched()
	}
}

func TestPanicInSweepLosesTheOtherPlaces(t *testing.T) {
	p := &panicking{Policy: limiter.Fixed(10)}
	l := limiter.New(p)
	for range 10 {
		acquire(t, l)
	}
	p.set("report")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		runtime.GC()
		if s, panicked := stats(l); panicked || s.Leaked > 0 {
			break
		}
	}
	p.set("")
	for deadline := time.Now().Add(10 * time.Second); l.Stats().Leaked < 10; runtime.Gosched() {
		runtime.GC()
		if time.Now().After(deadline) {
			t.Fatalf("places are lost: %+v", l.Stats())
		}
	}
	quiet(t, l)
}

func stats(l *limiter.Limiter) (s limiter.Stats, panicked bool) {
	defer func() { panicked = recover() != nil }()
	return l.Stats(), false
}

// A context is the code of others, too.
type hostile struct {
	context.Context
	value func()
}

func (h hostile) Value(any) any { h.value(); return nil }

func TestContextThatPanicsOrCallsBackLeavesTheLockHeld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		p := acquire(t, l)
		func() {
			defer func() { _ = recover() }()
			_, _ = l.Acquire(hostile{t.Context(), func() { panic("on purpose") }})
		}()
		c := ask(hostile{t.Context(), func() { l.Stats() }}, l)
		p.Release()
		synctest.Wait()
		if !c.admitted() {
			t.Fatal(c.err)
		}
		c.permit.Release()
		quiet(t, l)
	})
}

// What a policy would say by now counts, not what it said when the queue became full.
func TestQueueIsFullOfThoseWhoMayStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := &panicking{Policy: limiter.Fixed(1)}
		l := limiter.New(p, limiter.MaxQueue(1))
		held := acquire(t, l)
		first := ask(t.Context(), l)
		p.limit = 2 // more than before, of which nobody is told
		second := ask(t.Context(), l)
		if !first.admitted() || !second.admitted() {
			t.Fatalf("%v, %v: %+v", first.err, second.err, l.Stats())
		}
		for _, p := range []limiter.Permit{held, first.permit, second.permit} {
			p.Release()
		}
		quiet(t, l)
	})
}
