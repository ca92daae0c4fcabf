package peers

import (
	"context"
	"testing"
	"time"

	bounded "github.com/marusama/semaphore/v2"
	gclcore "github.com/platinummonkey/go-concurrency-limits/core"
	gcllimit "github.com/platinummonkey/go-concurrency-limits/limit"
	gcl "github.com/platinummonkey/go-concurrency-limits/limiter"
	gclstrategy "github.com/platinummonkey/go-concurrency-limits/strategy"
	"golang.org/x/sync/semaphore"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"

	"github.com/tidegate-go/tidegate/limiter"
)

// A fixed limit: acquire + release.

func BenchmarkFixed(b *testing.B)          { compare(b, alone, fixedSides) }
func BenchmarkFixedEveryCore(b *testing.B) { compare(b, everyCore, fixedSides) }
func BenchmarkFixedContended(b *testing.B) { compare(b, contended, waitingSides) }

// 64 goroutines for 2 places: giving them back at once, as the issue has it,
// and while others run, which makes nearly every acquire wait.

func BenchmarkQueue(b *testing.B)     { compare(b, manyForFew, queueSides) }
func BenchmarkQueueHeld(b *testing.B) { compare(b, manyForFewHeld, queueSides) }

// waitingSides are those that can wait. go-concurrency-limits is not one of
// them: under contention a call in its FIFO queue is now and then not woken, and
// is rejected when its time is up (v0.10.0, seen with two goroutines, one place
// and a minute's patience).
var waitingSides = []side{
	{"tidegate", tidegateFixed()},
	{"channel", channel},
	{"x-sync-semaphore", weighted},
	{"marusama-semaphore", marusama},
	{"failsafe-go-bulkhead", failsafeBulkhead},
}

var fixedSides = append(waitingSides[:len(waitingSides):len(waitingSides)],
	side{"go-concurrency-limits", gclFixed},
)

var queueSides = append(waitingSides[:len(waitingSides):len(waitingSides)],
	// With a bound on the wait each waiter needs a timer.
	side{"tidegate-max-wait", tidegateFixed(limiter.MaxWait(time.Minute))},
	side{"failsafe-go-max-wait", failsafeMaxWait},
)

func tidegateFixed(opts ...limiter.Option) func(load) func(int) {
	return func(l load) func(int) {
		lim := limiter.New(limiter.Fixed(l.places), opts...)
		return func(n int) {
			for range n {
				p, err := lim.Acquire(background)
				must(err)
				l.hold()
				p.Release()
			}
		}
	}
}

func channel(l load) func(int) {
	places := make(chan struct{}, l.places)
	return func(n int) {
		for range n {
			places <- struct{}{}
			l.hold()
			<-places
		}
	}
}

func weighted(l load) func(int) {
	s := semaphore.NewWeighted(int64(l.places))
	return func(n int) {
		for range n {
			must(s.Acquire(background, 1))
			l.hold()
			s.Release(1)
		}
	}
}

func marusama(l load) func(int) {
	s := bounded.New(l.places)
	return func(n int) {
		for range n {
			must(s.Acquire(background, 1))
			l.hold()
			s.Release(1)
		}
	}
}

func failsafeBulkhead(l load) func(int) {
	bh := bulkhead.New[any](uint(l.places))
	return func(n int) {
		for range n {
			must(bh.AcquirePermit(background))
			l.hold()
			bh.ReleasePermit()
		}
	}
}

func failsafeMaxWait(l load) func(int) {
	bh := bulkhead.New[any](uint(l.places))
	return func(n int) {
		for range n {
			must(bh.AcquirePermitWithMaxWait(background, time.Minute))
			l.hold()
			bh.ReleasePermit()
		}
	}
}

func gclFixed(l load) func(int) {
	return gclReported(gcllimit.NewFixedLimit("bench", l.places, gclcore.EmptyMetricRegistryInstance))
}

// newGCL wraps an algorithm of go-concurrency-limits with the defaults of its
// own constructor, but for the latency below which it ignores a call (100 µs):
// all that a benchmark does is faster, and ignoring is not what is measured.
func newGCL(algorithm gclcore.Limit) *gcl.DefaultLimiter {
	lim, err := gcl.NewDefaultLimiter(algorithm, 1e9, 1e9, 0, 100,
		gclstrategy.NewSimpleStrategy(algorithm.EstimatedLimit()), gcllimit.NoopLimitLogger{}, gclcore.EmptyMetricRegistryInstance)
	must(err)
	return lim
}

// A call given as a function: ours reports its outcome too.

func BenchmarkDo(b *testing.B) {
	nothing := func() error { return nil }
	compare(b, alone, []side{
		{"tidegate", func(l load) func(int) {
			lim := limiter.New(limiter.Fixed(l.places))
			return func(n int) {
				for range n {
					_, err := limiter.Do(background, lim, noValue)
					must(err)
				}
			}
		}},
		{"failsafe-go-executor", func(l load) func(int) {
			e := failsafe.With[any](bulkhead.New[any](uint(l.places)))
			return func(n int) {
				for range n {
					must(e.Run(nothing))
				}
			}
		}},
	})
}

func noValue(context.Context) (struct{}, error) { return struct{}{}, nil }
