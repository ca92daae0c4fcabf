package limiter_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// drawWorld draws a service with from 2 to 300 workers, a mean service time of 2
// to 300 ms of one of four distributions, a path of 0.5 to 50 ms, and a change
// of one of them halfway. It returns the capacity in calls per second, and the
// latency without a queue, before and after the change.
func drawWorld(seed uint64, half time.Duration) (w *world, capacity [2]float64, ideal [2]time.Duration) {
	r := rand.New(rand.NewPCG(seed, 99))
	between := func(low, high float64) float64 { return low * math.Pow(high/low, r.Float64()) }
	workers := [2]float64{math.Round(between(2, 300)), 0}
	service := [2]float64{between(0.002, 0.3), 0}
	path := [2]float64{between(0.0005, 0.05), 0}
	workers[1], service[1], path[1] = workers[0], service[0], path[0]
	factor := between(0.25, 4)
	switch r.IntN(3) {
	case 0:
		workers[1] = math.Max(1, math.Round(workers[0]*factor))
	case 1:
		service[1] *= factor
	case 2:
		path[1] = path[0]*factor + 0.01
	}
	shape := []func(*rand.Rand) float64{
		func(*rand.Rand) float64 { return 1 },
		func(r *rand.Rand) float64 { return 0.5 + r.Float64() },
		func(r *rand.Rand) float64 { return r.ExpFloat64() },
		func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() - 0.5) }, // lognormal, mean 1
	}[r.IntN(4)]
	w = &world{
		workers:  func(t time.Duration) int { return int(workers[phase(t, half)]) },
		path:     func(t time.Duration) time.Duration { return time.Duration(path[phase(t, half)] * 1e9) },
		policies: []limiter.Policy{limiter.Adaptive(limiter.AdaptiveConfig{})},
		seed:     seed,
	}
	w.service = func(r *rand.Rand) time.Duration {
		return time.Duration(service[phase(w.now, half)] * shape(r) * 1e9)
	}
	for i := range 2 {
		capacity[i] = workers[i] / service[i]
		ideal[i] = time.Duration((service[i] + path[i]) * 1e9)
		w.callers = max(w.callers, int(3*(workers[i]+capacity[i]*path[i]))+20)
	}
	return w, capacity, ideal
}

func phase(t, half time.Duration) int {
	if t < half {
		return 0
	}
	return 1
}

// Whatever the world, the policy must find most of the goodput at a latency of
// the right order. What it reaches is logged; the bounds are for accidents.
func TestAdaptiveIsTunedToItsScenarios(t *testing.T) {
	worlds := 20
	if testing.Short() {
		worlds = 3
	}
	var goodput, latency []float64
	for seed := range uint64(worlds) {
		const settle, look = 20 * time.Second, 20 * time.Second
		w, capacity, ideal := drawWorld(1000+seed, settle+look)
		s := w.run(settle, look, settle, look)
		for i, seen := range []*sample{s[1], s[3]} {
			goodput = append(goodput, float64(seen.done)/look.Seconds()/capacity[i])
			latency = append(latency, float64(seen.mean())/float64(ideal[i]))
		}
	}
	slices.Sort(goodput)
	slices.Sort(latency)
	at := func(xs []float64, q float64) float64 { return xs[int(q*float64(len(xs)-1))] }
	mean := 0.0
	for _, g := range goodput {
		mean += g / float64(len(goodput))
	}
	t.Logf("%d phases: goodput mean %.3f, 5th percentile %.2f, least %.2f of the possible; latency median %.2f, 95th percentile %.2f, most %.2f of that without a queue",
		len(goodput), mean, at(goodput, 0.05), goodput[0], at(latency, 0.5), at(latency, 0.95), latency[len(latency)-1])
	if mean < 0.9 || at(latency, 0.5) > 1.5 {
		t.Error("want a mean of at least 0.9 and a median latency of at most 1.5")
	}
}
