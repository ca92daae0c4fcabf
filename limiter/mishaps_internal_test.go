package limiter

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// A call that is turned away by a wake-up that comes late has waited until now, and
// not until the time at which the wake-up was due.
func TestLateWakeUpUnderstatesTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Rate(1000, 1), MaxWait(2*time.Millisecond))
		p, _ := l.TryAcquire()
		p.Release()
		var err error
		go func() { _, err = l.Acquire(t.Context()) }()
		synctest.Wait()
		l.mu.Lock()
		now := l.clock.read()
		l.dispatchAt(now+time.Millisecond, now+8*time.Millisecond)
		l.mu.Unlock()
		synctest.Wait()
		var r *RejectedError
		if !errors.As(err, &r) || r.Waited != 8*time.Millisecond {
			t.Errorf("%v, want one that has waited for 8ms", err)
		}
	})
}

// A wake-up that comes late is dealt with as of the time at which it was due, but what
// the policy has been told in between is not to be undone.
func TestTimeRunsBackwardsAtALateWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &toldTimes{Policy: Rate(100, 1)}
		l := New(told)
		first, _ := l.TryAcquire()
		go func() {
			p, _ := l.Acquire(t.Context())
			p.Release()
		}()
		synctest.Wait()
		time.Sleep(5 * time.Millisecond)
		first.Done(Success)
		l.mu.Lock()
		l.wakeAt -= 7 * time.Millisecond // it was due before that
		l.mu.Unlock()
		l.woken()
		if told.backwards {
			t.Error("the policy was told of a time before that of the last report")
		}
	})
}

// toldTimes is a Policy that notes whether time runs backwards.
type toldTimes struct {
	Policy
	last      time.Duration
	backwards bool
}

func (p *toldTimes) see(s State) {
	p.backwards = p.backwards || s.Now < p.last
	p.last = s.Now
}

func (p *toldTimes) Next(s State) (int, time.Duration) { p.see(s); return p.Policy.Next(s) }
func (p *toldTimes) Start(s State)                     { p.see(s); p.Policy.Start(s) }
func (p *toldTimes) Report(s State, r Result)          { p.see(s); p.Policy.Report(s, r) }

// Calls that come with an ended context are no demand: a limit must not rise for
// them.
func TestDeadCallLooksHeldBack(t *testing.T) {
	a := Adaptive(AdaptiveConfig{Initial: 1, Max: 9}).(*adaptive)
	l := New(a)
	if p, ok := l.TryAcquire(); ok {
		defer p.Release()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = l.Acquire(ctx)
	if a.heldBack {
		t.Error("a call with an ended context counts as held back by the limit")
	}
}

// Calls that a panic has lost must not be counted as idle for ever, or those that
// are there would be dropped in their stead.
func TestPanicsMakeTheCountOfCallsDrift(t *testing.T) {
	on := true
	l := New(panicsInReport{&on})
	for range 200 {
		p, _ := l.TryAcquire()
		func() {
			defer func() { _ = recover() }()
			p.Done(Success)
		}()
	}
	on = false
	kept := 0
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		runtime.GC()
		p, _ := l.TryAcquire()
		p.Done(Success)
		kept = 0
		for c := l.idle; c != nil; c = c.next {
			kept++
		}
		if kept == l.calls {
			return
		}
	}
	t.Errorf("%d calls are idle, %d counted", kept, l.calls)
}

// A call that was dropped because a rush is over is no longer counted when the garbage
// collector comes by, or the next rush would be paid for ever.
func TestDroppedCallIsTakenOffTwice(t *testing.T) {
	l := New(Unlimited())
	rush := make([]Permit, 500)
	for i := range rush {
		rush[i], _ = l.TryAcquire()
	}
	for _, p := range rush {
		p.Release()
	}
	clear(rush)
	for range 50 {
		runtime.GC()
		runtime.Gosched()
		p, _ := l.TryAcquire()
		p.Release()
	}
	kept := 0
	for c := l.idle; c != nil; c = c.next {
		kept++
	}
	if kept != l.calls || kept < leastSpare {
		t.Errorf("%d calls are idle, %d counted", kept, l.calls)
	}
}

// A timer that nobody waits for any longer keeps its Limiter in memory until it fires,
// which may be hours for each of many keys.
func TestTimerKeepsALimiterThatNobodyHas(t *testing.T) {
	l := New(Rate(1.0/3600, 1))
	gone := weak.Make(l)
	p, _ := l.TryAcquire()
	p.Release()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := l.Acquire(ctx); err == nil || l.wake == nil {
		t.Fatalf("it has not waited: %v", err)
	}
	l, p = nil, Permit{}
	for deadline := time.Now().Add(20 * time.Second); gone.Value() != nil; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("it is still in memory")
		}
		runtime.GC()
	}
}

type panicsInReport struct{ on *bool }

func (panicsInReport) Next(State) (int, time.Duration) { return 1, 0 }
func (panicsInReport) Start(State)                     {}
func (p panicsInReport) Report(State, Result) {
	if *p.on {
		panic("on purpose")
	}
}

// A place that becomes free while the context is asked what it says is there.
func TestRoomIsRefusedWhereNobodyMayQueue(t *testing.T) {
	l := New(Fixed(1), MaxQueue(0))
	p, _ := l.TryAcquire()
	q, err := l.Acquire(releasing{t.Context(), p})
	if err != nil {
		t.Error(err)
	}
	q.Release()
}

type releasing struct {
	context.Context
	permit Permit
}

func (r releasing) Deadline() (time.Time, bool) {
	r.permit.Release()
	return r.Context.Deadline()
}

// All that are in flight may end together, however evenly they have ended until now: who
// would then start may start at any moment.
func TestWhoMayStartAtAnyMomentIsTurnedAway(t *testing.T) {
	const places = 100
	p := new(pace)
	p.begin(0)
	for i := range 10 * places {
		p.moved(instant(i+1)*10*time.Millisecond, places)
	}
	if wait := p.atLeast(places, places); wait != 0 {
		t.Errorf("the last of those who start when all end is said to wait for %v at least", wait)
	}
	if wait := p.atLeast(10*places, places); wait < 5*time.Second || wait > 9*time.Second {
		t.Errorf("the thousandth is said to wait for %v at least, and waits for 9 s", wait)
	}
}

// Those who give up during a pause leave the line, too, but not at the pace at which it
// moves when the pause is over.
func TestLineIsSaidToMoveAsSlowlyAsDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Fixed(1))
		held, _ := l.TryAcquire()
		held.Pause(time.Minute)
		held.Release()
		for i := range 100 {
			go func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i < 50 {
					time.AfterFunc(time.Duration(i+1)*time.Second, cancel)
				}
				if p, err := l.Acquire(ctx); err == nil {
					time.Sleep(time.Millisecond)
					p.Release()
				}
			}()
		}
		time.Sleep(time.Minute + time.Microsecond) // the first of fifty has started
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p, err := l.Acquire(ctx)
		if err != nil {
			t.Errorf("turned away, though the whole line takes 50 ms: %v", err)
		}
		p.Release()
	})
}

// A call that gives up as it is nudged keeps the nudge until its place waits again. If it
// runs before that, and a panic ends it, nobody must believe that it has been nudged: it
// would be passed over when it is the first in line, and wait for good.
func TestNudgeIsRememberedThatNobodyCanHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(explosive)
		l := New(p)
		ctx, cancel := context.WithCancel(t.Context())
		go l.Acquire(ctx)
		synctest.Wait()
		l.mu.Lock()
		cancel()
		l.nudge()
		l.mu.Unlock()
		synctest.Wait()

		p.limit, p.start = 1, true
		mustPanic(t, func() { l.TryAcquire() })
		p.limit = 0
		started := false
		go func() {
			permit, _ := l.Acquire(t.Context())
			started = true
			permit.Release()
		}()
		synctest.Wait()
		p.limit, p.next = 1, true
		mustPanic(t, func() { _, _ = l.Acquire(t.Context()) })
		synctest.Wait()
		if !started {
			t.Error("the first in line has not heard that there is room")
		}
		l.SetPolicy(Unlimited())
	})
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}

// explosive is a Policy that panics once when it is told to.
type explosive struct {
	limit       int
	next, start bool
}

func (p *explosive) Next(State) (int, time.Duration) { blow(&p.next); return p.limit, 0 }
func (p *explosive) Start(State)                     { blow(&p.start) }
func (p *explosive) Report(State, Result)            {}

func blow(fuse *bool) {
	if *fuse {
		*fuse = false
		panic("on purpose")
	}
}
