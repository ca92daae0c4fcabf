package peers

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/priority"

	"github.com/tidegate-go/tidegate/limiter"
)

// Half as much again as the far side can do comes in, half of it important and
// half of it not. The ideal: all of the important half runs, and of the other
// half what is left of the capacity, a third.
const (
	capacity = 20 // places
	service  = 10 * time.Millisecond
	overload = 1.5
	queued   = 3 * capacity // how many may wait: the most that failsafe-go's defaults allow
	maxWait  = 100 * time.Millisecond
	lasting  = 20 * time.Second
)

// An admission asks for a place for a call and returns the function that gives
// it back, or false.
type admission func(important bool) (release func(), ok bool)

// classes is what became of the calls of the two classes, the important one
// last.
type classes struct {
	came, ran [2]int
	longest   time.Duration // that one has waited, admitted or not
}

func (c *classes) share(class int) float64 {
	return 100 * float64(c.ran[class]) / float64(c.came[class])
}

// overloaded offers calls at random times, in virtual time.
func overloaded(acquire admission) classes {
	var result classes
	var mu sync.Mutex
	var calls sync.WaitGroup
	random := rand.New(rand.NewPCG(1, 2))
	between := float64(service) / (capacity * overload)
	for began := time.Now(); time.Since(began) < lasting; {
		time.Sleep(time.Duration(random.ExpFloat64() * between))
		class := random.IntN(2)
		calls.Go(func() {
			came := time.Now()
			release, ok := acquire(class == 1)
			waited := time.Since(came)
			mu.Lock()
			result.came[class]++
			if ok {
				result.ran[class]++
			}
			result.longest = max(result.longest, waited)
			mu.Unlock()
			if ok {
				time.Sleep(service)
				release()
			}
		})
	}
	calls.Wait()
	return result
}

func TestPrioritiesUnderOverload(t *testing.T) {
	t.Run("tidegate", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			lim := limiter.New(limiter.Fixed(capacity), limiter.MaxQueue(queued), limiter.MaxWait(maxWait))
			important := limiter.WithPriority(background, 1)
			c := overloaded(func(i bool) (func(), bool) {
				ctx := background
				if i {
					ctx = important
				}
				p, err := lim.Acquire(ctx)
				return p.Release, err == nil
			})
			logClasses(t, c)
			if c.share(1) < 99 {
				t.Errorf("%.1f %% of the important calls ran, want at least 99 %%", c.share(1))
			}
			if c.longest > maxWait {
				t.Errorf("a call waited for %v, want at most %v", c.longest, maxWait)
			}
			// What is not spent on the important ones is not wasted either.
			if c.share(0) < 30 {
				t.Errorf("%.1f %% of the others ran, want about a third", c.share(0))
			}
		})
	})

	// The same places, queue and patience. Its documentation calibrates every
	// second; the shorter interval is in its favour. These are logged and not
	// asserted: they are another project's business.
	for _, calibration := range []time.Duration{time.Second, 10 * time.Millisecond} {
		t.Run("failsafe-go calibrated every "+calibration.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				prioritizer := adaptivelimiter.NewPrioritizer()
				stop := prioritizer.ScheduleCalibrations(background, calibration)
				lim := adaptivelimiter.NewBuilder[any]().WithLimits(capacity, capacity, capacity).
					WithQueueing(2, queued/capacity).BuildPrioritized(prioritizer)
				high := priority.ContextWithPriority(background, priority.High)
				low := priority.ContextWithPriority(background, priority.Low)
				logClasses(t, overloaded(func(i bool) (func(), bool) {
					ctx := low
					if i {
						ctx = high
					}
					return failsafePrioritized(ctx, lim)
				}))
				stop()
				synctest.Wait()
			})
		})
	}
}

func failsafePrioritized(ctx context.Context, lim adaptivelimiter.PriorityLimiter[any]) (func(), bool) {
	p, err := lim.AcquirePermitWithMaxWait(ctx, maxWait)
	if err != nil {
		return nil, false
	}
	return p.Record, true
}

func logClasses(t *testing.T, c classes) {
	t.Helper()
	t.Logf("important: %.1f %% of %d ran; others: %.1f %% of %d; all in all %.0f %% of the capacity used; longest wait %v",
		c.share(1), c.came[1], c.share(0), c.came[0],
		100*float64(c.ran[0]+c.ran[1])*service.Seconds()/(capacity*lasting.Seconds()), c.longest)
}
