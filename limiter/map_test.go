package limiter_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestMapYieldsOutOfOrderOrTooMuch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(4))
		pulled, yielded, most := 0, 0, 0
		seq := func(yield func(int) bool) {
			for i := range 100 {
				pulled++
				most = max(most, pulled-yielded)
				if !yield(i) {
					return
				}
			}
		}
		for v, err := range limiter.Map(t.Context(), l, 6, seq, func(_ context.Context, i int) (int, error) {
			time.Sleep(time.Duration(1+i*7%5) * time.Second)
			if i%10 == 3 {
				return i, errTest
			}
			return i, nil
		}) {
			if v != yielded || (err != nil) != (v%10 == 3) {
				t.Fatalf("got %d, %v, want %d", v, err, yielded)
			}
			yielded++
		}
		if yielded != 100 || most > 7 {
			t.Errorf("%d results, %d values held for a window of 6", yielded, most)
		}
		quiet(t, l)
	})
}

func TestMapHoldsBackFinishedResults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		slow := func(yield func(int) bool) { // a value a minute
			for i := range 4 {
				time.Sleep(time.Minute)
				if !yield(i) {
					return
				}
			}
		}
		for v, err := range limiter.Map(t.Context(), limiter.New(limiter.Fixed(8)), 16, slow, func(_ context.Context, i int) (int, error) { return i, nil }) {
			if late := time.Since(start) - time.Duration(v+1)*time.Minute; err != nil || late > time.Minute {
				t.Errorf("result %d came %v after it was ready (%v)", v, late, err)
			}
		}
	})
}

func TestBreakOutOfMapLeaksCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(4))
		var cancelled atomic.Int32
		for v := range limiter.Map(t.Context(), l, 4, count(1e9), func(ctx context.Context, i int) (int, error) {
			if i > 2 {
				<-ctx.Done()
				cancelled.Add(1)
			}
			return i, ctx.Err()
		}) {
			if v == 2 {
				break
			}
		}
		if n := cancelled.Load(); n < 1 || n > 4 {
			t.Errorf("%d calls cancelled", n)
		}
		quiet(t, l)
	})
}

func TestMapLosesAPanic(t *testing.T) {
	l := limiter.New(limiter.Fixed(2))
	var got []int
	defer func() {
		if p, ok := recover().(*limiter.PanicError); !ok || !errors.Is(p, errTest) {
			t.Errorf("recovered %v", p)
		}
		if !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("yielded %v before it", got)
		}
		quiet(t, l)
	}()
	for v := range limiter.Map(t.Context(), l, 2, count(10), func(_ context.Context, i int) (int, error) {
		if i == 3 {
			blowUp()
		}
		return i, nil
	}) {
		got = append(got, v)
	}
	t.Error("ended")
}

func TestMapLosesTheEndOfItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		l := limiter.New(limiter.Fixed(1))
		var last error
		n := 0
		for _, err := range limiter.Map(ctx, l, 3, count(10), func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			return 0, nil
		}) {
			n++
			last = err
		}
		if n != 3 || !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("%d results, the last %v", n, last)
		}
	})
}

// What has been yielded is the loop's to keep or drop.
func TestMapKeepsYieldedResultsInMemory(t *testing.T) {
	l := limiter.New(limiter.Fixed(64))
	ready := make(chan bool)
	values := func(yield func(int) bool) {
		for i := range 64 {
			if !yield(i) {
				return
			}
		}
		close(ready) // all have been started, and none has been yielded
	}
	var seen []weak.Pointer[[1024]int]
	for v := range limiter.Map(t.Context(), l, 64, values, func(context.Context, int) (*[1024]int, error) {
		<-ready
		return new([1024]int), nil
	}) {
		if seen = append(seen, weak.Make(v)); len(seen) < 60 {
			continue
		}
		runtime.GC()
		kept := 0
		for _, w := range seen[:50] {
			if w.Value() != nil {
				kept++
			}
		}
		if kept > 5 {
			t.Fatalf("%d of 50 results that nobody has any more are kept", kept)
		}
	}
}
