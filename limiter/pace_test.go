package limiter_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

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

		short, cancel = context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		start := time.Now()
		_, err := l.Acquire(short)
		var r *limiter.RejectedError
		if time.Since(start) != 0 || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &r) || r.Reason != limiter.Deadline {
			t.Errorf("after %v: %v", time.Since(start), err)
		} else if r.RetryAfter < 7*time.Second || r.RetryAfter > 20*time.Second {
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
		sleep(40 * time.Second)
		waiting := 0
		for { // fill the queue until the next one cannot make it
			c := ask(ctx, l)
			if c.done.Load() {
				if !errors.Is(c.err, limiter.ErrMaxWait) {
					t.Errorf("got %v", c.err)
				}
				break
			}
			if waiting++; waiting > 100 {
				t.Fatal("everybody may wait")
			}
		}
		if q := l.Stats().Queued; q < 50 || q > 95 {
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

// The pause is not the pace at which calls start when it is over.
func TestPauseMakesCallersLookHopeless(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		call := func(ctx context.Context) error {
			p, err := l.Acquire(ctx)
			if err == nil {
				time.Sleep(10 * time.Millisecond)
				p.Release()
			}
			return err
		}
		for range 600 {
			go call(t.Context())
		}
		sleep(600 * time.Millisecond)
		holder := ask(limiter.WithPriority(t.Context(), 1), l)
		sleep(20 * time.Millisecond)
		holder.permit.Pause(time.Minute)
		holder.permit.Release()
		sleep(61 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := call(ctx); err != nil {
			t.Errorf("turned away with %d in the queue, 10 ms each: %v", l.Stats().Queued, err)
		}
		sleep(time.Minute)
	})
}

// Calls of equal length start in bunches: no gap between two bunches must be
// taken for the gap between two calls.
func TestLockstepMakesCallersLookHopeless(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(200))
		random := rand.New(rand.NewPCG(9, 9))
		turnedAway, done := 0, 0
		var mu sync.Mutex
		// 660 calls a second where 667 can be done, after 3,000 at once.
		for i := range 20_000 {
			if i > 3000 {
				time.Sleep(time.Duration(random.ExpFloat64() * float64(time.Second) / 660))
			}
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				p, err := l.Acquire(ctx)
				mu.Lock()
				if err != nil {
					turnedAway++
				} else {
					done++
				}
				mu.Unlock()
				if err == nil {
					time.Sleep(300 * time.Millisecond)
					p.Release()
				}
			}()
		}
		sleep(time.Minute)
		if turnedAway != 0 || done != 20_000 {
			t.Errorf("%d turned away though everybody can start within 30 s, %d done", turnedAway, done)
		}
	})
}

// A call within the next bunch may start at any moment, however slow the pace.
func TestCallInTheNextBunchLooksHopeless(t *testing.T) {
	for name, policy := range map[string]limiter.Policy{"fixed": limiter.Fixed(30), "batch": limiter.Batch(30)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				l := limiter.New(policy)
				work(ctx, l, 59) // 30 run in lockstep, 29 wait
				sleep(20*time.Second + 995*time.Millisecond)
				short, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
				defer cancel()
				p, err := l.Acquire(short) // the bunch starts in 5 ms
				if err != nil {
					t.Errorf("turned away: %v", err)
				}
				p.Release()
				stop()
				sleep(3 * time.Second)
			})
		})
	}
}

// Callers that give up move the line as well as those that start.
func TestImpatientLineMakesThePatientLookHopeless(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		l := limiter.New(limiter.Rate(10, 1))
		go func() { // 100 a second come, and go after a second
			for ctx.Err() == nil {
				go func() {
					impatient, cancel := context.WithCancel(ctx)
					time.AfterFunc(time.Second, cancel)
					if p, err := l.Acquire(impatient); err == nil {
						p.Release()
					}
				}()
				time.Sleep(10 * time.Millisecond)
			}
		}()
		sleep(30*time.Second + time.Millisecond)
		for range 20 {
			patient, cancel := context.WithTimeout(ctx, 3*time.Second)
			p, err := l.Acquire(patient)
			if err != nil {
				t.Errorf("turned away: %v", err)
			}
			p.Release()
			cancel()
			sleep(500 * time.Millisecond)
		}
		stop()
		sleep(5 * time.Second)
	})
}

func TestOverloadHitsTheImportantToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const maxWait = 200 * time.Millisecond
		l := limiter.New(limiter.Fixed(10), limiter.MaxQueue(50), limiter.MaxWait(maxWait))
		random := rand.New(rand.NewPCG(4, 2))
		var mu sync.Mutex
		var longest time.Duration
		var came, admitted [2]int
		// 10 places × 10 ms make 1,000 calls per second; 1,500 come, half of
		// them important.
		for range 30_000 {
			time.Sleep(time.Duration(random.ExpFloat64() * float64(time.Second) / 1500))
			class := random.IntN(2)
			work := time.Duration(random.ExpFloat64() * float64(10*time.Millisecond))
			came[class]++
			go func() {
				start := time.Now()
				p, err := l.Acquire(limiter.WithPriority(t.Context(), class))
				mu.Lock()
				longest = max(longest, time.Since(start))
				if err == nil {
					admitted[class]++
				}
				mu.Unlock()
				if err == nil {
					time.Sleep(work)
					p.Release()
				}
			}()
		}
		sleep(time.Second)
		high := float64(admitted[1]) / float64(came[1])
		low := float64(admitted[0]) / float64(came[0])
		t.Logf("admitted: %.2f %% of the important, %.2f %% of the rest; the longest wait %v", 100*high, 100*low, longest)
		if high < 0.99 || low > 0.6 || longest > maxWait {
			t.Error("want at least 99 % of the important, the rest taking the loss, and nobody waiting past MaxWait")
		}
		checkCounts(t, l, 30_000)
		quiet(t, l)
	})
}
