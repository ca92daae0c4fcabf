package limiter

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// Clients whose limiters were made at different times and whose latencies differ
// must experiment at the same moments of the wall clock.
func TestGridsOfClientsNeverMeet(t *testing.T) {
	wall := time.Unix(1_700_000_000, 123)
	for _, age := range []time.Duration{1, time.Second, 1000 * time.Hour} {
		made := wall.Add(-age)
		s := State{Now: age, Epoch: &made}
		for _, least := range []float64{0, 1, 3, 1000} {
			for spacing := int32(1); spacing <= maxSpacing; spacing *= 2 {
				next := onGrid(s, 0, period, least, spacing)
				at := s.Epoch.Add(next)
				unit := period
				for seconds(unit) < least {
					unit *= 2
				}
				unit *= time.Duration(spacing)
				if next <= s.Now || next > s.Now+unit || at.UnixNano()%int64(unit) != 0 {
					t.Errorf("age %v, least %v, spacing %d: next at %v, which is %v off", age, least, spacing, at, next-s.Now)
				}
			}
		}
	}
}

// A timer that is left running keeps its Limiter in memory, for an hour if the rate
// is one in an hour, long after the last caller has given up.
func TestForgottenTimerKeepsALimiterAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Rate(1.0/3600, 1))
		if p, ok := l.TryAcquire(); ok {
			p.Release()
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = l.Acquire(ctx) }()
		synctest.Wait()
		if l.wakeAt == 0 {
			t.Fatal("nobody will wake the caller")
		}
		cancel()
		synctest.Wait()
		if l.wakeAt != 0 {
			t.Error("the timer runs on though nobody waits")
		}
	})
}

// On a machine that is too busy to run its timers in time a call that has waited
// for too long must not take the place of one that has not.
func TestLateTimerLetsACallWaitPastItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Fixed(1), MaxWait(time.Second))
		held, _ := l.TryAcquire()
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				p, err := l.Acquire(t.Context())
				errs <- err
				p.Release()
			}()
			time.Sleep(time.Millisecond)
		}
		l.mu.Lock()
		l.queue.classes[0].head.queued -= time.Minute // its timer is late
		l.mu.Unlock()
		held.Release()
		first, second := <-errs, <-errs
		if first == nil {
			first, second = second, first
		}
		if !errors.Is(first, ErrMaxWait) || second != nil {
			t.Errorf("the late one got %v, the one in time %v", first, second)
		}
	})
}

// What a rush has needed must not be kept for good.
func TestRushIsPaidForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rush = 20_000
		l := New(Fixed(1))
		held, _ := l.TryAcquire()
		for range rush {
			go func() {
				if p, err := l.Acquire(t.Context()); err == nil {
					p.Release()
				}
			}()
		}
		synctest.Wait()
		held.Release()
		synctest.Wait()
		kept := 0
		for c := l.idle; c != nil; c = c.next {
			kept++
		}
		if kept != l.calls || kept > leastSpare+1 {
			t.Errorf("%d idle calls are kept, and %d counted", kept, l.calls)
		}
	})
}

// Every success must be as likely to be in the sample as any other, or the
// statistic of a round is that of its beginning or its end.
func TestSampleFavoursSomeAnswers(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	const n, rounds, parts = 20_000, 200, 4
	var kept [parts]int
	for range rounds {
		a.newRound(0)
		for i := range n {
			a.answered(0, float64(i))
		}
		if len(a.latencies) != maxSample {
			t.Fatalf("a sample of %d", len(a.latencies))
		}
		for _, x := range a.latencies {
			kept[int(x)*parts/n]++
		}
	}
	want := float64(rounds * maxSample / parts)
	for part, k := range kept {
		if d := float64(k)/want - 1; d < -0.05 || d > 0.05 {
			t.Errorf("quarter %d of the answers has %.1f %% more than its share", part+1, 100*d)
		}
	}
}

// What is missing from the sample is long: it must raise the statistic.
func TestLowMeanForgetsWhatIsMissing(t *testing.T) {
	xs := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	if mean, _ := lowMean(xs, 8, fastest); mean != 2 { // at least three
		t.Errorf("mean %v of 1, 2, 3", mean)
	}
	if mean, _ := lowMean(xs, 24, fastest); mean != 3.5 {
		t.Errorf("mean %v of 1 to 6", mean)
	}
	if mean, stderr := lowMean([]float32{5, 5, 5, 5}, 4, fastest); mean != 5 || stderr > tick {
		t.Errorf("mean %v ± %v of equals", mean, stderr)
	}
}

// The wall clock is looked up anew now and then, which must not set back the
// time that policies are told.
func TestClockRunsBackwardsWhenItIsLookedUp(t *testing.T) {
	var c clock
	last := c.read()
	if last != 1 {
		t.Errorf("the first instant is %v, want 1 ns", last)
	}
	for range 100_000 {
		c.lookedUp = -time.Minute // due
		at := c.read()
		if at < last || c.lookedUp != at {
			t.Fatalf("%v after %v, looked up at %v", at, last, c.lookedUp)
		}
		last = at
	}
}

// Answers within one tick of a coarse clock must not make the base, and with it
// every decision, not a number.
func TestAdaptiveLosesItsNumbersWhenAnswersTakeNoTime(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 1))
		a := Adaptive(AdaptiveConfig{}).(*adaptive)
		type running struct{ start, end time.Duration }
		var calls []running
		for now := time.Duration(1); now < 20*time.Second; now += time.Millisecond {
			for range 50 {
				if limit, _ := a.Next(State{Now: now, InFlight: len(calls), Queued: 5}); len(calls) >= limit {
					break
				}
				c := running{now, now}
				if r.IntN(10) >= 4 {
					c.end += time.Duration(30+r.IntN(40)) * time.Millisecond
				}
				calls = append(calls, c)
				a.Start(State{Now: now, InFlight: len(calls), Queued: 5})
			}
			for i := 0; i < len(calls); {
				if calls[i].end > now {
					i++
					continue
				}
				a.Report(State{Now: now, InFlight: len(calls), Queued: 5}, Result{Outcome: Success, Latency: calls[i].end - calls[i].start})
				calls = append(calls[:i], calls[i+1:]...)
			}
			for name, x := range map[string]float64{"base": a.base, "its error": a.baseError, "limit": a.limit, "queue": a.queue} {
				if math.IsNaN(x) || a.rounds > 0 && math.IsInf(x, 0) {
					t.Fatalf("seed %d, %v: the %s is %v", seed, now, name, x)
				}
			}
		}
	}
}

func TestPolicyOutgrowsItsBudget(t *testing.T) {
	for _, p := range []any{adaptive{}, vegas{}, gradient2{}, gradient{}} {
		if size := reflect.TypeOf(p).Size(); size > 8<<10 {
			t.Errorf("%T takes %d bytes, want at most 8 kB", p, size)
		}
	}
}
