package limiter_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

var errTest = errors.New("on purpose")

func TestForEachGoesOnAfterAnError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(2))
		var started, cancelled atomic.Int32
		pulled := 0
		endless := func(yield func(int) bool) {
			for ; yield(pulled); pulled++ {
			}
		}
		err := limiter.ForEach(t.Context(), l, endless, func(ctx context.Context, i int) error {
			started.Add(1)
			if i == 4 {
				time.Sleep(time.Second)
				return fmt.Errorf("item %d: %w", i, errTest)
			}
			select {
			case <-time.After(2 * time.Second):
			case <-ctx.Done():
				cancelled.Add(1)
				if !errors.Is(context.Cause(ctx), errTest) {
					t.Errorf("cause %v", context.Cause(ctx))
				}
			}
			return ctx.Err()
		})
		if !errors.Is(err, errTest) || err.Error() != "item 4: on purpose" {
			t.Errorf("got %v, want the first error alone", err)
		}
		if started.Load() != 6 || cancelled.Load() != 1 || pulled > 7 {
			t.Errorf("%d started, %d cancelled, %d pulled", started.Load(), cancelled.Load(), pulled)
		}
		quiet(t, l)
	})
}

func TestKeepGoingStopsOrForgets(t *testing.T) {
	l := limiter.New(limiter.Fixed(4))
	var done atomic.Int32
	err := limiter.ForEach(t.Context(), l, count(100), func(_ context.Context, i int) error {
		done.Add(1)
		if i%10 == 0 {
			return fmt.Errorf("item %d: %w", i, errTest)
		}
		return nil
	}, limiter.KeepGoing())
	if n := strings.Count(err.Error(), "on purpose"); n != 10 || done.Load() != 100 || !errors.Is(err, errTest) {
		t.Errorf("%d errors, %d done", n, done.Load())
	}
	if s := l.Stats(); s.Outcomes.Failed != 10 || s.Outcomes.Success != 90 {
		t.Errorf("%+v", s.Outcomes)
	}
}

func TestKeepGoingOutlivesItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		l := limiter.New(limiter.Fixed(1))
		err := limiter.ForEach(ctx, l, count(1e9), func(ctx context.Context, i int) error {
			time.Sleep(3 * time.Second)
			return nil
		}, limiter.KeepGoing())
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		quiet(t, l)
	})
}

func TestForEachLosesAPanic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(3))
		defer func() {
			p, ok := recover().(*limiter.PanicError)
			if !ok || !errors.Is(p, errTest) || !strings.Contains(string(p.Stack), "blowUp") {
				t.Errorf("recovered %v", p)
			}
			quiet(t, l)
			// The next value may have been admitted to the place that became
			// free, and given it back.
			if s := l.Stats(); s.Outcomes.Failed != 0 || s.Outcomes.Ignored < 1 || s.Outcomes.Ignored > 2 {
				t.Errorf("a call that panicked says something: %+v", s.Outcomes)
			}
		}()
		err := limiter.ForEach(t.Context(), l, count(10), func(ctx context.Context, i int) error {
			if i == 1 {
				blowUp()
			}
			time.Sleep(time.Second)
			return nil
		})
		t.Errorf("returned %v", err)
	})
}

func blowUp() { panic(errTest) }

func TestForEachTakesGoexitForSuccess(t *testing.T) {
	l := limiter.New(limiter.Fixed(3))
	err := limiter.ForEach(t.Context(), l, count(3), func(ctx context.Context, i int) error {
		runtime.Goexit()
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "Goexit") {
		t.Errorf("got %v", err)
	}
	quiet(t, l)
}

func TestPanicOfTheSequenceLeavesCallsBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(3))
		var running atomic.Int32
		func() {
			defer func() {
				if recover() != any(errTest) {
					t.Error("another panic")
				}
			}()
			_ = limiter.ForEach(t.Context(), l, func(yield func(int) bool) {
				yield(1)
				yield(2)
				synctest.Wait()
				panic(errTest)
			}, func(ctx context.Context, i int) error {
				running.Add(1)
				defer running.Add(-1)
				<-ctx.Done()
				time.Sleep(time.Second)
				return nil
			})
		}()
		if running.Load() != 0 {
			t.Errorf("%d still run", running.Load())
		}
		quiet(t, l)
	})
}

// The peers' defect: a rate token is spent to learn that the sequence has ended.
func TestEndOfSequenceCostsAToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Rate(1, 1))
		if took := elapsed(func() {
			_ = limiter.ForEach(t.Context(), l, count(3), func(context.Context, int) error { return nil })
		}); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		if s := l.Stats(); s.Admitted != 3 {
			t.Errorf("%d admitted", s.Admitted)
		}
	})
}

func TestForEachHoldsMoreThanItsPlaces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(5))
		ctx, cancel := context.WithCancel(t.Context())
		pulled := 0
		go func() {
			_ = limiter.ForEach(ctx, l, func(yield func(int) bool) {
				for pulled = 1; yield(pulled); pulled++ {
				}
			}, func(ctx context.Context, i int) error { <-ctx.Done(); return nil })
		}()
		synctest.Wait()
		if pulled != 6 {
			t.Errorf("%d values pulled for 5 places", pulled)
		}
		cancel()
	})
}

func TestPanicOfTheClassifierEndsTheProgram(t *testing.T) {
	l := limiter.New(limiter.Fixed(2), limiter.Classify(func(error) limiter.Outcome { panic(errTest) }))
	caught := func(f func()) (err error) {
		defer func() { err, _ = recover().(error) }()
		f()
		return nil
	}
	if err := caught(func() {
		_ = limiter.ForEach(t.Context(), l, count(3), func(context.Context, int) error { return nil })
	}); !errors.Is(err, errTest) {
		t.Errorf("ForEach: %v", err)
	}
	if err := caught(func() {
		for range limiter.Map(t.Context(), l, 2, count(3), func(context.Context, int) (int, error) { return 0, nil }) {
		}
	}); !errors.Is(err, errTest) {
		t.Errorf("Map: %v", err)
	}
	quiet(t, l)
}

func TestDoLosesThePlaceOfAPanic(t *testing.T) {
	l := limiter.New(limiter.Fixed(1))
	func() {
		defer func() { _ = recover() }()
		_, _ = limiter.Do(t.Context(), l, func(context.Context) (int, error) { panic("on purpose") })
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = limiter.Do(t.Context(), l, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
	}()
	<-done
	v, err := limiter.Do(t.Context(), l, func(context.Context) (string, error) { return "fine", nil })
	if v != "fine" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if s := l.Stats(); s.Outcomes != (limiter.OutcomeCounts{Ignored: 2, Success: 1}) {
		t.Errorf("%+v", s.Outcomes)
	}
	quiet(t, l)
}

func TestClassifierIsNotAsked(t *testing.T) {
	l := limiter.New(limiter.Fixed(1), limiter.Classify(func(err error) limiter.Outcome {
		if errors.Is(err, errTest) {
			return limiter.Refused
		}
		return limiter.OutcomeOf(err)
	}))
	for _, err := range []error{errTest, nil, context.DeadlineExceeded} {
		_, _ = limiter.Do(t.Context(), l, func(context.Context) (int, error) { return 0, err })
	}
	if s := l.Stats(); s.Outcomes != (limiter.OutcomeCounts{Refused: 1, Success: 1, Overdue: 1}) {
		t.Errorf("%+v", s.Outcomes)
	}
}

// Between the end of a place and the end of the work nobody may start in that place.
func TestValueStartsInThePlaceOfTheOneThatFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1), limiter.Observe(func(e limiter.Event) {
			if e.Kind == limiter.Finished {
				time.Sleep(time.Second) // the place is free, and who has failed is still on its way
			}
		}))
		wrong, calls := errors.New("the first fails"), 0
		err := limiter.ForEach(t.Context(), l, slices.Values([]int{1, 2, 3}), func(context.Context, int) error {
			calls++
			return wrong
		})
		if !errors.Is(err, wrong) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
		time.Sleep(time.Minute) // the observer may still be at the last event
	})
}
