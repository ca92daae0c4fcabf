package limiter_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestGatherMixesUpItsBatchesOrResults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		began := make([]time.Duration, 7)
		got, err := limiter.Gather(t.Context(), 3, count(7), func(_ context.Context, i int) (int, error) {
			began[i] = time.Since(start)
			time.Sleep(time.Duration(i%3+1) * time.Second)
			return i * i, nil
		})
		if err != nil || !slices.Equal(got, []int{0, 1, 4, 9, 16, 25, 36}) {
			t.Errorf("%v, %v", got, err)
		}
		const s = time.Second
		if want := []time.Duration{0, 0, 0, 3 * s, 3 * s, 3 * s, 6 * s}; !slices.Equal(began, want) {
			t.Errorf("began at %v, want %v", began, want)
		}
		got, err = limiter.Gather(t.Context(), 2, count(100), func(_ context.Context, i int) (int, error) {
			if i == 3 {
				return 99, errTest
			}
			return i + 1, nil
		})
		if !errors.Is(err, errTest) || !slices.Equal(got[:3], []int{1, 2, 3}) || got[3] != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// work keeps n callers busy with calls of a second each.
func work(ctx context.Context, l *limiter.Limiter, n int) {
	for range n {
		go func() {
			for {
				p, err := l.Acquire(ctx)
				if err != nil {
					return
				}
				time.Sleep(time.Second)
				p.Release()
			}
		}()
	}
	synctest.Wait()
}

// sleep lets virtual time pass and everybody come to rest.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestHopelessCallersWaitInVain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		l := limiter.New(limiter.Fixed(2))
		work(ctx, l, 42) // 40 wait: 20 s for the last in line
		short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()

		// Before enough has been seen nobody is turned away.
		early := ask(short, l)
		if early.done.Load() {
			t.Errorf("turned away without evidence: %v", early.err)
		}
		sleep(30 * time.Second)

		short, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err := l.Acquire(short)
		var r *limiter.RejectedError
		if time.Since(start) != 0 || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &r) || r.Reason != limiter.Deadline {
			t.Errorf("after %v: %v", time.Since(start), err)
		} else if r.RetryAfter < 10*time.Second || r.RetryAfter > 20*time.Second {
			t.Errorf("retry after %v, want somewhat less than 20s", r.RetryAfter)
		}
		// Those who can make it wait, and so does whoever goes first.
		long, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		patient := ask(long, l)
		first := ask(limiter.WithPriority(short, 1), l)
		sleep(2 * time.Second)
		if !first.admitted() {
			t.Fatalf("turned away, though it goes first: %v", first.err)
		}
		first.permit.Release()
		sleep(25 * time.Second)
		if !patient.admitted() {
			t.Fatalf("turned away, though it can make it: %v", patient.err)
		}
		patient.permit.Release()
		stop()
		sleep(2 * time.Second)
		quiet(t, l)
	})
}

func TestHopelessByMaxWaitWaitsInVain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		l := limiter.New(limiter.Fixed(1), limiter.MaxWait(50*time.Second))
		work(ctx, l, 40)
		sleep(30 * time.Second)
		l2 := 0
		for { // fill the queue until the next one cannot make it
			c := ask(ctx, l)
			if c.done.Load() {
				if !errors.Is(c.err, limiter.ErrMaxWait) {
					t.Errorf("got %v", c.err)
				}
				break
			}
			if l2++; l2 > 100 {
				t.Fatal("everybody may wait")
			}
		}
		if q := l.Stats().Queued; q < 50 || q > 70 {
			t.Errorf("%d wait where 50 can start in time", q)
		}
		stop()
		sleep(2 * time.Second)
	})
}

// A policy that lets calls start in bunches must not make the estimate think
// that the next bunch is far.
func TestBatchesMakeTheEstimateUnsound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		l := limiter.New(limiter.Batch(10))
		work(ctx, l, 40)
		sleep(20*time.Second + 500*time.Millisecond)
		short, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		c := ask(short, l) // 30 wait: it starts in 3.5 s
		sleep(5 * time.Second)
		if !c.admitted() {
			t.Errorf("turned away: %v", c.err)
		}
		c.permit.Release()
		stop()
		sleep(2 * time.Second)
	})
}
