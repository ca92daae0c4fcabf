package peers

import (
	"sync/atomic"
	"testing"
	"time"

	gclcore "github.com/platinummonkey/go-concurrency-limits/core"
	gcllimit "github.com/platinummonkey/go-concurrency-limits/limit"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"

	"github.com/tidegate-go/tidegate/limiter"
)

// An adaptive limit: acquire + report + release.

func BenchmarkAdaptive(b *testing.B)          { compare(b, alone, append(adaptiveSides, vegas)) }
func BenchmarkAdaptiveEveryCore(b *testing.B) { compare(b, everyCore, adaptiveSides) }

var adaptiveSides = []side{
	{"tidegate", func(l load) func(int) {
		return reported(limiter.Adaptive(limiter.AdaptiveConfig{Min: enough(l), Initial: max(10, enough(l))}))
	}},
	// Report and Release in one, which is all that the rivals offer.
	{"tidegate-done", func(l load) func(int) {
		lim := limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{Min: enough(l), Initial: max(10, enough(l))}))
		return func(n int) {
			for range n {
				permit, err := lim.Acquire(background)
				must(err)
				permit.Done(limiter.Success)
			}
		}
	}},
	{"floor-two-clocks-atomic-pair", floor},
	{"failsafe-go-adaptivelimiter", failsafeAdaptive},
	{"go-concurrency-limits-gradient2", func(l load) func(int) {
		g, err := gcllimit.NewGradient2Limit("bench", max(20, enough(l)), max(200, enough(l)), enough(l), func(int) int { return 4 }, 0.2, 600,
			gcllimit.NoopLimitLogger{}, gclcore.EmptyMetricRegistryInstance)
		must(err)
		return gclReported(g)
	}},
}

// vegas takes no lower bound, so on every core it might reject.
var vegas = side{"go-concurrency-limits-vegas", func(load) func(int) {
	return gclReported(gcllimit.NewDefaultVegasLimit("bench", gcllimit.NoopLimitLogger{}, gclcore.EmptyMetricRegistryInstance))
}}

// enough is the least limit with which nobody waits: on every core the limit
// must not fall below the number of cores, or waiting would be measured too.
func enough(l load) int { return l.goroutines }

func reported(p limiter.Policy) func(int) {
	lim := limiter.New(p)
	return func(n int) {
		for range n {
			permit, err := lim.Acquire(background)
			must(err)
			permit.Report(limiter.Success)
			permit.Release()
		}
	}
}

// floor is what no limiter that measures latency and counts calls can do
// without.
func floor(load) func(int) {
	var inFlight atomic.Int64
	var latency atomic.Int64 // so that the readings are not optimised away
	epoch := time.Now()
	return func(n int) {
		var sum time.Duration
		for range n {
			inFlight.Add(1)
			started := time.Since(epoch)
			sum += time.Since(epoch) - started
			inFlight.Add(-1)
		}
		latency.Add(int64(sum))
	}
}

func failsafeAdaptive(l load) func(int) {
	builder := adaptivelimiter.NewBuilder[any]()
	if least := uint(enough(l)); least > 1 {
		builder.WithLimits(least, max(200, least), max(20, least))
	}
	lim := builder.Build()
	return func(n int) {
		for range n {
			p, err := lim.AcquirePermit(background)
			must(err)
			p.Record()
		}
	}
}

func gclReported(algorithm gclcore.Limit) func(int) {
	lim := newGCL(algorithm)
	return func(n int) {
		for range n {
			p, ok := lim.Acquire(background) // never waits
			if !ok {
				panic("go-concurrency-limits rejected")
			}
			p.OnSuccess()
		}
	}
}

// Three policies that decide as one, beside the dearest of them alone.

func BenchmarkAll(b *testing.B) {
	adaptive := func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) }
	compare(b, alone, []side{
		{"tidegate", func(load) func(int) {
			return reported(limiter.All(limiter.Fixed(8), limiter.Rate(1e9, 1e9), adaptive()))
		}},
		{"tidegate-adaptive-alone", func(load) func(int) { return reported(adaptive()) }},
		{"tidegate-rate-alone", func(load) func(int) { return reported(limiter.Rate(1e9, 1e9)) }},
		{"tidegate-fixed-alone", func(load) func(int) { return reported(limiter.Fixed(8)) }},
	})
}
