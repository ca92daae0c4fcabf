package limiter_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// In virtual time, in which no caller is kept from going on for so long that a goroutine
// takes over from it, whose end this would have to wait for.
func TestEventsAreLostOrOutOfOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var seen []limiter.Event
		var entered bool
		l := limiter.New(limiter.Fixed(2), limiter.MaxQueue(1), limiter.Observe(func(e limiter.Event) {
			if entered { // also a data race, if it were possible
				t.Error("the observer was entered twice at once")
			}
			entered = true
			seen = append(seen, e)
			runtime.Gosched()
			entered = false
		}))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 200 {
					if p, err := l.Acquire(t.Context()); err == nil {
						p.Report(limiter.Success)
						p.Release()
					}
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		s := l.Stats()
		kinds := map[limiter.Kind]uint64{}
		for i, e := range seen {
			if e.Seq != uint64(i+1) {
				t.Fatalf("event %d has number %d", i+1, e.Seq)
			}
			if e.InFlight > 2 || e.Queued > 1 {
				t.Fatalf("impossible: %+v", e)
			}
			kinds[e.Kind]++
		}
		if kinds[limiter.Admitted] != s.Admitted || kinds[limiter.Finished] != s.Admitted || kinds[limiter.Rejected] != s.Rejected.Sum() {
			t.Errorf("events %v do not add up to %+v", kinds, s)
		}
		checkCounts(t, l, 1600)
	})
}

func TestObserverThatCallsItsLimiterDeadlocks(t *testing.T) {
	var l *limiter.Limiter
	depth, events := 0, 0
	l = limiter.New(limiter.Fixed(5), limiter.Observe(func(e limiter.Event) {
		depth++
		defer func() { depth-- }()
		if depth > 1 {
			t.Error("called from within itself")
		}
		if events++; events < 20 {
			if p, ok := l.TryAcquire(); ok {
				p.Release()
			}
			l.Stats()
		}
	}))
	acquire(t, l).Release()
	if events < 20 {
		t.Errorf("%d events", events)
	}
}

func TestObserverThatPanicsBreaksTheEngine(t *testing.T) {
	calls := 0
	l := limiter.New(limiter.Fixed(1), limiter.Observe(func(limiter.Event) {
		if calls++; calls%2 == 0 {
			panic("on purpose")
		}
	}))
	for range 10 {
		p, err := l.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.Release()
	}
	if s := l.Stats(); s.ObserverPanics != uint64(calls/2) || calls < 20 {
		t.Errorf("%d panics counted in %d calls", s.ObserverPanics, calls)
	}
	quiet(t, l)
}

func TestObserverThatEndsItsGoroutineSilencesTheRest(t *testing.T) {
	calls, exited := 0, false
	l := limiter.New(limiter.Fixed(3), limiter.Observe(func(e limiter.Event) {
		if calls++; e.Kind == limiter.Admitted && !exited {
			exited = true
			runtime.Goexit()
		}
	}))
	var wg sync.WaitGroup
	wg.Go(func() { l.TryAcquire() })
	wg.Wait()
	before := calls
	p, ok := l.TryAcquire()
	if !ok || calls != before+1 {
		t.Errorf("%d events after %d", calls, before)
	}
	p.Release()
}

func TestLimitChangesWithoutAReason(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var causes []string
		l := limiter.New(limiter.AIMD(limiter.AIMDConfig{Initial: 2, Min: 1}), limiter.Observe(func(e limiter.Event) {
			if e.Kind == limiter.LimitChanged {
				causes = append(causes, e.Cause)
			}
		}))
		for _, o := range []limiter.Outcome{limiter.Success, limiter.Refused, limiter.Overdue} {
			p := acquire(t, l)
			p.Report(o)
			p.Release()
		}
		l.TryAcquire()
		if want := []string{"initial", "success", "refused", "overdue"}; !slices.Equal(causes, want) {
			t.Errorf("causes %q, want %q", causes, want)
		}
	})
}

func TestTimesOfEventsAreWrong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var seen []limiter.Event
		l := limiter.New(limiter.Fixed(1), limiter.MaxWait(3*time.Second), limiter.Observe(func(e limiter.Event) { seen = append(seen, e) }))
		p := acquire(t, l)
		second := ask(t.Context(), l)
		third := ask(t.Context(), l)
		time.Sleep(2 * time.Second)
		p.Report(limiter.Success)
		time.Sleep(500 * time.Millisecond) // the body
		p.Release()
		time.Sleep(time.Second)
		synctest.Wait()
		second.permit.Pause(time.Minute)
		second.permit.Release()
		if third.err == nil {
			t.Fatal("the third was admitted")
		}
		var text []string
		for _, e := range seen {
			line := e.Kind.String()
			switch e.Kind {
			case limiter.Admitted:
				line += " after " + e.Wait.String()
			case limiter.Rejected:
				line += " " + e.Reason.String() + " after " + e.Wait.String()
			case limiter.Finished:
				line += " " + e.Outcome.String() + " in " + e.Latency.String()
			case limiter.Paused:
				line += " for " + e.Until.Sub(e.Time).String()
			}
			text = append(text, line)
		}
		want := `limit changed
admitted after 0s
finished success in 2s
admitted after 2.5s
rejected waited too long after 3s
paused for 1m0s
finished ignored in 1s`
		if got := strings.Join(text, "\n"); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
		s := l.Stats()
		if s.Waiting != (limiter.Summary{Count: 1, Total: 2500 * time.Millisecond, Max: 2500 * time.Millisecond}) {
			t.Errorf("waiting %+v", s.Waiting)
		}
		if s.Latency.Mean() != 2*time.Second || s.Latency.Count != 1 {
			t.Errorf("latency %+v", s.Latency)
		}
	})
}

func TestNamesOfValuesOutOfRangePanic(t *testing.T) {
	for _, s := range []string{limiter.Outcome(99).String(), limiter.Reason(99).String(), limiter.Kind(99).String()} {
		if !strings.Contains(s, "99") {
			t.Errorf("%q", s)
		}
	}
}

func TestOutcomeOfErrorMisleadsThePolicy(t *testing.T) {
	rejected := func() error {
		l := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
		acquire(t, l)
		_, err := l.Acquire(t.Context())
		return err
	}()
	for _, row := range []struct {
		err  error
		want limiter.Outcome
	}{
		{nil, limiter.Success},
		{context.Canceled, limiter.Cancelled},
		{context.DeadlineExceeded, limiter.Overdue},
		{timeoutError{}, limiter.Overdue},
		{rejected, limiter.Ignored},
		{context.Cause(t.Context()), limiter.Success},
		{&limiter.ConfigError{}, limiter.Failed},
	} {
		if got := limiter.OutcomeOf(row.err); got != row.want {
			t.Errorf("%v: %v, want %v", row.err, got, row.want)
		}
	}
}

type timeoutError struct{}

func (timeoutError) Error() string { return "timeout" }
func (timeoutError) Timeout() bool { return true }
