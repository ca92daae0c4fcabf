package limiter_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// The worlds of these tests: exponential service of 10 ms, 400 callers. Each
// is judged on seeds that the policy was not tuned on, in virtual time, so a
// result is the same on every machine. The bounds are those of anchors.md, or
// looser where this first rule falls short of them.
const seeds = 5 // 1 with -short

func testWorld(seed uint64, workers func(time.Duration) int, clients int) *world {
	w := &world{
		workers: workers, service: exponential(10 * time.Millisecond),
		callers: 400 / clients, seed: 100 + seed,
	}
	for range clients {
		w.policies = append(w.policies, limiter.Adaptive(limiter.AdaptiveConfig{}))
	}
	return w
}

func onSeeds(t *testing.T, f func(t *testing.T, seed uint64)) {
	n := seeds
	if testing.Short() {
		n = 1
	}
	for seed := range uint64(n) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			f(t, seed)
		})
	}
}

// check fails unless goodput reaches a share of what is possible and the mean
// latency stays below a bound.
func check(t *testing.T, name string, s *sample, span time.Duration, possible, share float64, mean time.Duration) {
	t.Helper()
	low, high := s.limitRange()
	got := float64(s.done) / span.Seconds() / possible
	t.Logf("%s: %.3f of the possible goodput, mean latency %v, limit %d to %d", name, got, s.mean(), low, high)
	if got < share || s.mean() > mean {
		t.Errorf("%s: want at least %.2f of the goodput and at most %v", name, share, mean)
	}
}

func TestAdaptiveHoldsAQueueOrAnIdleWorkerInSteadyLoad(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		const span = 60 * time.Second
		s := testWorld(seed, constantWorkers(20), 1).run(10*time.Second, span)
		check(t, "steady", s[1], span, 2000, 0.98, 12500*time.Microsecond)
	})
}

func TestAdaptiveMissesALossOfCapacity(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		const span = 55 * time.Second
		s := testWorld(seed, becoming(20, 30*time.Second, 5), 1).run(30*time.Second, 5*time.Second, span)
		check(t, "after 5 s", s[2], span, 500, 0.93, 20*time.Millisecond)
		if _, high := s[2].limitRange(); high > 15 {
			t.Errorf("the limit is still %d", high)
		}
	})
}

func TestAdaptiveMissesAGainOfCapacity(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		const span = 54 * time.Second
		s := testWorld(seed, becoming(5, 30*time.Second, 20), 1).run(30*time.Second, 6*time.Second, span)
		check(t, "after 6 s", s[2], span, 2000, 0.96, 15*time.Millisecond)
	})
}

func TestAdaptiveNeverRecoversFromAColdStartFarTooHigh(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(20), 1)
		w.policies = []limiter.Policy{limiter.Adaptive(limiter.AdaptiveConfig{Initial: 400})}
		const span = 45 * time.Second
		s := w.run(15*time.Second, span)
		check(t, "after 15 s", s[1], span, 2000, 0.96, 15*time.Millisecond)
	})
}

func TestAdaptiveGrowsStepByStep(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		const span = 10 * time.Second
		s := testWorld(seed, constantWorkers(200), 1).run(10*time.Second, span)
		check(t, "K = 200 after 10 s", s[1], span, 20_000, 0.97, 13*time.Millisecond)
	})
}

func TestAdaptiveClientsTakeEachOthersQueueForThePath(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		const span = 60 * time.Second
		s := testWorld(seed, constantWorkers(20), 10).run(30*time.Second, span)
		check(t, "10 clients", s[1], span, 2000, 0.97, 40*time.Millisecond)
		if j := jain(s[1].perClient); j < 0.9 {
			t.Errorf("Jain index %.3f: %v", j, s[1].perClient)
		}
	})
}

// Slow calls are given up, the survivors look fast, and the service works on
// for callers that have left: the worst failure of adaptive rules.
func TestAdaptiveGoesBlindWhenCallsTimeOut(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, becoming(20, 30*time.Second, 1), 1)
		w.timeout = time.Second
		const span = 50 * time.Second
		s := w.run(30*time.Second, 10*time.Second, span)
		check(t, "K = 20 to 1", s[2], span, 100, 0.8, 500*time.Millisecond)
	})
}

func TestAdaptiveRunsIntoRefusals(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(20), 1)
		w.places = 5
		const span = 60 * time.Second
		s := w.run(10*time.Second, span)
		check(t, "5 places in the queue", s[1], span, 2000, 0.9, 20*time.Millisecond)
		if share := float64(s[1].refused) / float64(s[1].refused+s[1].done); share > 0.05 {
			t.Errorf("%.1f %% of calls refused", 100*share)
		}
	})
}

// One host of twenty behind a proxy is down. To ask the others less does not mend it.
func TestAdaptiveIsBroughtDownByRefusalsThatAreAlwaysThere(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(20), 1)
		w.refusing = always(0.05)
		const span = 60 * time.Second
		s := w.run(40*time.Second, span)
		check(t, "1 of 20 refused", s[1], span, 2000, 0.95, 20*time.Millisecond)
	})
}

// Nor must knowing of them hide that there is no room for more.
func TestAdaptiveRunsIntoRefusalsBehindOthers(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(20), 1)
		w.refusing, w.places = always(0.02), 5
		const span = 60 * time.Second
		s := w.run(40*time.Second, span)
		// What is known of the others is found out anew meanwhile, which costs some seconds.
		check(t, "1 of 50 refused, 5 places in the queue", s[1], span, 2000, 0.90, 20*time.Millisecond)
		if share := float64(s[1].refused) / float64(s[1].refused+s[1].done); share > 0.1 {
			t.Errorf("%.1f %% of calls refused", 100*share)
		}
	})
}

func always(share float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return share }
}

// Where there are both, calls are refused more above than below: once that was never
// told from a server that is only full, and a limit of one was never left.
func TestAdaptiveStandsStillAtOneBehindOtherRefusals(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		for _, share := range []float64{0.05, 0.15} {
			w := testWorld(seed, constantWorkers(8), 1)
			w.service = func(*rand.Rand) time.Duration { return 10 * time.Millisecond }
			w.refusing, w.places = always(share), 1
			const span = 200 * time.Second
			s := w.run(60*time.Second, span)
			check(t, fmt.Sprint(share, " refused, a queue of 1"), s[1], span, 800, 0.9, 15*time.Millisecond)
			if r := float64(s[1].refused) / float64(s[1].refused+s[1].done); r > 1.5*share {
				t.Errorf("%.1f %% of calls refused", 100*r)
			}
		}
	})
}

// Refusals that were known as others took the place of those, and were not heeded for
// as long as there were any: four of ten calls.
func TestAdaptiveFloodsAfterOtherRefusalsHaveEnded(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(8), 1)
		w.service = func(*rand.Rand) time.Duration { return 10 * time.Millisecond }
		w.places = 1
		w.refusing = func(t time.Duration) float64 {
			if t < time.Minute {
				return 0.15
			}
			return 0
		}
		s := w.run(time.Minute, 5*time.Minute, time.Minute)
		for i, most := range []float64{0.25, 0.25, 0.02} {
			if r := float64(s[i].refused) / float64(s[i].refused+s[i].done); r > most {
				t.Errorf("%.1f %% of calls refused in span %d", 100*r, i)
			}
		}
	})
}

// Without callers held back there is nothing to learn from, and a limit that
// drifts up meets the next burst unprepared.
func TestAdaptiveDriftsUpWithoutLoad(t *testing.T) {
	w := testWorld(1, constantWorkers(20), 1)
	w.callers = 3
	s := w.run(60 * time.Second)
	if low, high := s[0].limitRange(); high > 12 {
		t.Errorf("limit %d to %d with 3 callers, want it to stay where it was, 10", low, high)
	}
}

func TestAdaptiveExperimentsBelowItsMinimum(t *testing.T) {
	for _, c := range []limiter.AdaptiveConfig{{Min: 20, Max: 20, Initial: 20}, {Min: 15, Max: 30}} {
		w := testWorld(1, constantWorkers(20), 1)
		w.policies = []limiter.Policy{limiter.Adaptive(c)}
		s := w.run(30 * time.Second)
		if low, high := s[0].limitRange(); low < c.Min || high > c.Max {
			t.Errorf("limit %d to %d with %+v", low, high, c)
		}
	}
}

func TestAdaptiveCannotSayWhy(t *testing.T) {
	p := limiter.Adaptive(limiter.AdaptiveConfig{})
	why := func() string { return p.(limiter.Reasoner).Reason() }
	if why() != "initial" {
		t.Errorf("%q", why())
	}
	s := limiter.State{Now: 1, Epoch: &epoch, InFlight: 1}
	p.Start(s)
	p.Report(s, limiter.Result{Outcome: limiter.Refused})
	if why() != "refused" {
		t.Errorf("%q", why())
	}
	w := testWorld(1, constantWorkers(20), 1)
	w.run(5 * time.Second)
	if text := w.policies[0].(limiter.Reasoner).Reason(); !strings.Contains(text, "queue") && !strings.Contains(text, "experiment") {
		t.Errorf("%q", text)
	}
}

func constantService(d time.Duration) func(*rand.Rand) time.Duration {
	return func(*rand.Rand) time.Duration { return d }
}

// Where all calls take equally long no reserve of waiting calls is needed.
func TestAdaptiveKeepsAQueueThatServesNobody(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(50), 1)
		w.service = constantService(20 * time.Millisecond)
		w.path = func(time.Duration) time.Duration { return 5 * time.Millisecond }
		const span = 40 * time.Second
		s := w.run(20*time.Second, span)
		check(t, "constant service", s[1], span, 2500, 0.98, 27500*time.Microsecond)
	})
}
