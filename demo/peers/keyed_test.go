package peers

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"golang.org/x/sync/semaphore"

	"github.com/tidegate-go/tidegate/limiter"
)

const hosts = 100_000

// What a live key costs in memory once it has had a call. The rivals have
// nothing keyed: theirs is a map with a limiter for each key, without a bound
// and without a lock, which is in their favour.
func BenchmarkKeyed(b *testing.B) {
	names := make([]string, hosts)
	for i := range names {
		names[i] = "host-" + strconv.Itoa(i) + ".example.com"
	}
	use := func(l *limiter.Keyed[string]) any {
		for _, name := range names {
			p, err := l.Acquire(background, name)
			must(err)
			p.Report(limiter.Success)
			p.Release()
		}
		return l
	}
	for _, s := range []struct {
		name string
		fill func() any
	}{
		{"tidegate", func() any { // as a client of many hosts would have it
			return use(limiter.NewKeyed(hosts, func(string) *limiter.Limiter {
				return limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{}))
			}))
		}},
		{"tidegate-fixed", func() any {
			return use(limiter.NewKeyed(hosts, func(string) *limiter.Limiter { return limiter.New(limiter.Fixed(8)) }))
		}},
		{"failsafe-go-adaptivelimiter", func() any {
			m := make(map[string]adaptivelimiter.AdaptiveLimiter[any], hosts)
			for _, name := range names {
				lim := adaptivelimiter.NewWithDefaults[any]()
				p, err := lim.AcquirePermit(background)
				must(err)
				p.Record()
				m[name] = lim
			}
			return m
		}},
		{"failsafe-go-bulkhead", func() any {
			m := make(map[string]bulkhead.Bulkhead[any], hosts)
			for _, name := range names {
				m[name] = bulkhead.New[any](8)
			}
			return m
		}},
		{"x-sync-semaphore", func() any {
			m := make(map[string]*semaphore.Weighted, hosts)
			for _, name := range names {
				m[name] = semaphore.NewWeighted(8)
			}
			return m
		}},
	} {
		b.Run(s.name, func(b *testing.B) {
			var bytes uint64
			for b.Loop() {
				before := live()
				all := s.fill()
				bytes = live() - before
				runtime.KeepAlive(all)
			}
			b.ReportMetric(float64(bytes)/hosts, "B/key")
		})
	}
}

// live returns the bytes in use after a full collection. It collects twice,
// because what cleanups and finalizers hold is only freed by the second.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
