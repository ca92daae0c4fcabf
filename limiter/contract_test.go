package limiter_test

import (
	"context"
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
