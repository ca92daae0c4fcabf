package limiter_test

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

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

// A permit is usually lost after its report: a response whose body nobody
// closes. Its call must be ended once, and for the policy that knew it.
func TestLostPermitIsReportedTwiceOrToAStranger(t *testing.T) {
	before := &recorder{Policy: limiter.Fixed(100)}
	after := &recorder{Policy: limiter.Fixed(100)}
	l := limiter.New(before)
	for i := range 20 {
		p := acquire(t, l)
		if i%2 == 0 {
			p.Report(limiter.Success)
		}
	}
	l.SetPolicy(after)
	for deadline := time.Now().Add(10 * time.Second); l.Stats().Leaked < 20; runtime.Gosched() {
		runtime.GC()
		if time.Now().After(deadline) {
			t.Fatalf("permits that are garbage are not recovered: %+v", l.Stats())
		}
	}
	if s := l.Stats(); s.Outcomes != (limiter.OutcomeCounts{Success: 10, Ignored: 10}) {
		t.Errorf("%+v", s.Outcomes)
	}
	if before.reported > 20 || after.reported != 0 {
		t.Errorf("%d reports for 20 calls, and %d to a policy that knows none of them", before.reported, after.reported)
	}
	checkCounts(t, l, 20)
	quiet(t, l)
}

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

// hearing remembers the last result.
type hearing struct{ last limiter.Result }

func (h *hearing) Next(limiter.State) (int, time.Duration)       { return 10, 0 }
func (h *hearing) Start(limiter.State)                           {}
func (h *hearing) Report(_ limiter.State, result limiter.Result) { h.last = result }

func TestQueueDelayIsLostOrKeptForTheNextCall(t *testing.T) {
	h := &hearing{}
	l := limiter.New(h)
	call := func(hints ...time.Duration) limiter.Result {
		p, err := l.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range hints {
			p.QueueDelay(d)
		}
		p.Done(limiter.Success)
		p.QueueDelay(time.Hour) // the call is over
		return h.last
	}
	for _, c := range []struct {
		hints  []time.Duration
		want   time.Duration
		hinted bool
	}{
		{[]time.Duration{3 * time.Second}, 3 * time.Second, true},
		{nil, 0, false},
		{[]time.Duration{0}, 0, true},
		{[]time.Duration{-1}, 0, false},
		{[]time.Duration{5, 7}, 7, true},
	} {
		if r := call(c.hints...); r.QueueDelay != c.want || r.Hinted != c.hinted || r.Latency > time.Minute {
			t.Errorf("hints %v: the policy was told %+v", c.hints, r)
		}
	}
	var none limiter.Permit
	none.QueueDelay(1)
}

// A policy that goes by how many were in flight must be told of all, whether a call ends
// with its report or later.
func TestCallThatEndsIsNotAmongThoseInFlight(t *testing.T) {
	told := &tellsInFlight{Policy: limiter.Fixed(3)}
	l := limiter.New(told)
	first, second, third := acquire(t, l), acquire(t, l), acquire(t, l)
	first.Done(limiter.Success)
	second.Report(limiter.Success)
	second.Release()
	third.Release()
	if want := []int{3, 2, 1}; !slices.Equal(told.atReport, want) {
		t.Errorf("reports with %v in flight, want %v", told.atReport, want)
	}
}

type tellsInFlight struct {
	limiter.Policy
	atReport []int
}

func (p *tellsInFlight) Report(s limiter.State, _ limiter.Result) {
	p.atReport = append(p.atReport, s.InFlight)
}
