package limiter_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// The policies of others must be as good, and as bad, as they are known to be:
// a mistake in one would make every comparison with it worthless. 20 workers
// take 20 ms (lognormal, σ = 0.5), the path takes 5 ms and there are 300
// callers, so a limit of 27 does 990 calls a second at a mean of 27.3 ms.
//
// Vegas takes the luckiest call for the latency without a queue and keeps to a
// third. Gradient2 settles at 1.5 times the latency, its Tolerance; Envoy at
// about 1.25, its Buffer.
func TestPublishedPoliciesDoOtherwiseThanTheyAreKnownTo(t *testing.T) {
	const capacity, mean = 990, 0.0273
	for _, row := range []struct {
		name                string
		create              func(seed uint64) limiter.Policy
		goodput, most       float64 // of the capacity
		latency, latencyMax float64 // × the mean
	}{
		{"Vegas", func(seed uint64) limiter.Policy {
			return limiter.Vegas(limiter.VegasConfig{Seed: seed})
		}, 0.25, 0.45, 0.9, 1},
		{"Gradient2", func(uint64) limiter.Policy {
			return limiter.Gradient2(limiter.Gradient2Config{Min: 1, Max: 1000})
		}, 0.98, 1.05, 1.35, 1.75},
		{"Gradient", func(seed uint64) limiter.Policy {
			return limiter.Gradient(limiter.GradientConfig{Seed: seed})
		}, 0.98, 1.05, 1.1, 1.4},
	} {
		t.Run(row.name, func(t *testing.T) {
			onSeeds(t, func(t *testing.T, seed uint64) {
				w := &world{
					workers: constantWorkers(20), callers: 300, timeout: time.Second, seed: seed,
					path: func(time.Duration) time.Duration { return 5 * time.Millisecond },
					service: func(r *rand.Rand) time.Duration {
						return time.Duration(20e6 * math.Exp(0.5*r.NormFloat64()-0.125))
					},
					policies: []limiter.Policy{row.create(seed)},
				}
				const span = 40 * time.Second
				s := w.run(20*time.Second, span)[1]
				goodput, latency := float64(s.done)/span.Seconds()/capacity, s.mean().Seconds()/mean
				low, high := s.limitRange()
				t.Logf("%.2f of the capacity, %.2f × the latency, limit %d to %d", goodput, latency, low, high)
				if goodput < row.goodput || goodput > row.most || latency < row.latency || latency > row.latencyMax {
					t.Errorf("want %.2f to %.2f of the capacity and %.2f to %.2f × the latency", row.goodput, row.most, row.latency, row.latencyMax)
				}
			})
		})
	}
}
