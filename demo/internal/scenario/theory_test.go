package scenario

import (
	"math"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// near fails unless got is within a share of want.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want) {
		t.Errorf("%s: %.5g, want %.5g ± %.1f %%", what, got, want, 100*tolerance)
	}
}

// simulate runs a setting under one policy for each client, and forgets the
// first tenth.
func simulate(s Setting, long time.Duration, seed uint64, newPolicy func() limiter.Policy) *simulation {
	w := &World{Phases: []Phase{
		{Long: (long / 10).Truncate(binLong), Setting: s},
		{Long: long, Setting: s},
	}}
	m := newSimulation(w, seed, false, func(int) limiter.Policy { return newPolicy() })
	m.run()
	return m
}

func poisson(rate float64) []Client { return []Client{{Rate: rate}} }

// erlangC is the mean time in the system of M/M/c.
func erlangC(workers int, rate, service float64) float64 {
	load := rate * service
	term, sum := 1.0, 1.0
	for k := 1; k < workers; k++ {
		term *= load / float64(k)
		sum += term
	}
	last := term * load / float64(workers) / (1 - load/float64(workers))
	waits := last / (sum + last)
	return service + waits*service/(float64(workers)-load)
}

// Known results of queueing theory, with callers that nobody holds back.
func TestServersDisagreeWithQueueingTheory(t *testing.T) {
	const service = 0.010
	for _, tt := range []struct {
		name   string
		server Server
		rate   float64
		want   float64 // mean seconds in the system
	}{
		{"M/M/1 at 0.5", Server{Workers: 1, Service: Exponential(10 * ms)}, 50, service / 0.5},
		{"M/M/1 at 0.7", Server{Workers: 1, Service: Exponential(10 * ms)}, 70, service / 0.3},
		{"M/M/4 at 0.8", Server{Workers: 4, Service: Exponential(10 * ms)}, 320, erlangC(4, 320, service)},
		{"M/M/20 at 0.9", Server{Workers: 20, Service: Exponential(10 * ms)}, 1800, erlangC(20, 1800, service)},
		// Pollaczek and Khinchine: the wait is ρ/(1-ρ)·(1+cv²)/2 services.
		{"M/D/1 at 0.7", Server{Workers: 1, Service: Constant(10 * ms)}, 70, service * (1 + 0.7/0.3/2)},
		{"M/G/1 at 0.6, uniform", Server{Workers: 1, Service: Uniform(10*ms, 1)}, 60, service * (1 + 0.6/0.4*(1+1./3)/2)},
		// Sharing does not care for the distribution, only for its mean.
		{"M/M/1 sharing at 0.7", Server{Kind: Sharing, Workers: 1, Service: Exponential(10 * ms)}, 70, service / 0.3},
		{"M/D/1 sharing at 0.7", Server{Kind: Sharing, Workers: 1, Service: Constant(10 * ms)}, 70, service / 0.3},
		{"M/G/1 sharing at 0.6, bimodal", Server{Kind: Sharing, Workers: 1, Service: Bimodal(5*ms, 55*ms, 0.1)}, 60, service / 0.4},
		{"infinite server", Server{Kind: Sharing, Service: Lognormal(10*ms, 1)}, 500, service},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			long := time.Duration(150_000/tt.rate) * time.Second
			m := simulate(Setting{Server: tt.server, Clients: poisson(tt.rate)}, long, 1, limiter.Unlimited)
			s := &m.seen.phases[1]
			near(t, "mean time", s.mean().Seconds(), tt.want, 0.06)
			near(t, "throughput", s.goodput(), tt.rate, 0.015)
			near(t, "Little's law", s.inFlight/s.long.Seconds(), s.goodput()*s.mean().Seconds(), 0.01)
		})
	}
}

// Throughput of a closed loop: asymptotes, and the machine-repair model.
func TestClosedLoopDisagreesWithTheory(t *testing.T) {
	t.Parallel()
	// Machine repair: n callers that think for 90 ms, 1 worker of 10 ms, all
	// exponential. P(k) ∝ n!/(n-k)!·ρ^k with ρ = 1/9.
	const n = 8
	weight, total, busy := 1.0, 1.0, 0.0
	for k := 1; k <= n; k++ {
		weight *= float64(n-k+1) / 9
		total += weight
		busy += weight
	}
	s := Setting{
		Server:  Server{Workers: 1, Service: Exponential(10 * ms)},
		Clients: []Client{{Callers: n, Think: Exponential(90 * ms)}},
	}
	m := simulate(s, 2000*time.Second, 1, limiter.Unlimited)
	near(t, "machine repair", m.seen.phases[1].goodput(), 100*busy/total, 0.015)

	// Contention: with N in flight N/(S·(1+σ(N-1)+κN(N-1))).
	s = Setting{
		Server:  Server{Kind: Sharing, Service: Exponential(10 * ms), Sigma: 0.02, Kappa: 0.0005},
		Clients: []Client{{Callers: 100}},
	}
	for _, n := range []float64{2, 10, 44, 80} {
		m := simulate(s, 100*time.Second, 1, func() limiter.Policy { return limiter.Fixed(int(n)) })
		near(t, "USL", m.seen.phases[1].goodput(), n/0.01/(1+0.02*(n-1)+0.0005*n*(n-1)), 0.03)
	}
}

func TestDistributionsMissTheirMeans(t *testing.T) {
	t.Parallel()
	for _, d := range []Distribution{
		Constant(10 * ms), Uniform(10*ms, 0.5), Exponential(10 * ms), Lognormal(10*ms, 0.5), Lognormal(10*ms, 1),
		Bimodal(5*ms, 55*ms, 0.1), Pareto(10*ms, 3, time.Hour), Exponential(5 * ms).Times(2),
	} {
		m := simulate(Setting{Server: Server{Kind: Sharing, Service: d}, Clients: poisson(1000)}, 60*time.Second, 3, limiter.Unlimited)
		near(t, d.String(), m.seen.phases[1].mean().Seconds(), 0.010, 0.025)
		near(t, d.String(), d.Mean().Seconds(), 0.010, 1e-9)
	}
}

// A stall takes its share of the capacity, and a quota lets through what it says.
func TestCapacityIsNotWhatTheServerSays(t *testing.T) {
	t.Parallel()
	closed := []Client{{Callers: 100, Backoff: 20 * ms, Path: 2 * ms}}
	for _, tt := range []struct {
		name   string
		server Server
		want   float64
	}{
		{"stalls", Server{Workers: 10, Service: Exponential(10 * ms), StallEvery: 5 * time.Second, StallFor: time.Second}, 800},
		{"quota", Server{Workers: 100, Service: Exponential(10 * ms), Quota: 300, Burst: 10}, 300},
		{"batches", Server{Kind: Batching, Workers: 2, Service: Constant(20 * ms), Batch: 10, PerCall: ms}, 20 / 0.030},
		{"bounded queue", Server{Workers: 10, Service: Exponential(10 * ms), Places: 60}, 1000},
	} {
		m := simulate(Setting{Server: tt.server, Clients: closed}, 50*time.Second, 1, limiter.Unlimited)
		near(t, tt.name, m.seen.phases[1].goodput(), tt.want, 0.03)
	}
}
