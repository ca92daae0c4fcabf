package scenario

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A note is what a policy is told.
type note struct {
	report  bool
	now     time.Duration
	latency time.Duration
	outcome limiter.Outcome
	limit   int
}

func (n note) compare(o note) int {
	report := func(n note) int {
		if n.report {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(n.now, o.now), cmp.Compare(report(n), report(o)), cmp.Compare(n.latency, o.latency), cmp.Compare(n.limit, o.limit))
}

// notes writes down what its policy is told.
type notes struct {
	limiter.Policy
	all []note
}

func (n *notes) Start(s limiter.State) {
	limit, _ := n.Next(s)
	n.Policy.Start(s)
	n.all = append(n.all, note{now: s.Now, limit: limit})
}

func (n *notes) Report(s limiter.State, r limiter.Result) {
	n.Policy.Report(s, r)
	n.all = append(n.all, note{report: true, now: s.Now, latency: r.Latency, outcome: r.Outcome})
}

// The same world, once simulated and once with the real Limiter, goroutines and
// sleeps in a bubble of virtual time: the policy must be told the same. There is
// no chance in it, and the callers are all alike, so that it does not matter
// which of them the scheduler takes first.
func TestSimulationPlaysAnotherEngine(t *testing.T) {
	const callers, workers, long = 6, 2, 20 * time.Second
	service, way := 10*ms, 3*ms
	makers := map[string]func() limiter.Policy{
		"fixed":    func() limiter.Policy { return limiter.Fixed(3) },
		"rate":     func() limiter.Policy { return limiter.Rate(90, 2) },
		"batch":    func() limiter.Policy { return limiter.Batch(4) },
		"adaptive": func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{Initial: 2, Max: 5}) },
		"aimd":     func() limiter.Policy { return limiter.AIMD(limiter.AIMDConfig{Initial: 1, Min: 1, Max: 5}) },
	}
	for name, newPolicy := range makers {
		t.Run(name, func(t *testing.T) {
			s := Setting{
				Server:  Server{Workers: workers, Service: Constant(service)},
				Clients: []Client{{Callers: callers, Path: 2 * way}},
			}
			simulated := &notes{Policy: newPolicy()}
			m := newSimulation(&World{Phases: []Phase{{Long: long, Setting: s}}}, 1, false, func(int) limiter.Policy { return simulated })
			m.wall = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // as in a bubble
			m.run()

			real := &notes{Policy: newPolicy()}
			synctest.Test(t, func(t *testing.T) {
				l := limiter.New(real)
				places := make(chan struct{}, workers)
				ctx, cancel := context.WithTimeout(t.Context(), long-1) // what ends at its end is not seen
				defer cancel()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for {
							p, err := l.Acquire(ctx)
							if err != nil {
								return
							}
							time.Sleep(way)
							places <- struct{}{}
							time.Sleep(service)
							<-places
							time.Sleep(way)
							p.Done(limiter.Success)
						}
					})
				}
				wg.Wait()
			})
			late := func(n note) bool { return n.now >= long-1 }
			for i := range real.all {
				real.all[i].now-- // the clock of a Limiter starts at 1 ns
			}
			simulated.all, real.all = slices.DeleteFunc(simulated.all, late), slices.DeleteFunc(real.all, late)
			// The scheduler takes what happens at one moment in any order.
			slices.SortFunc(simulated.all, note.compare)
			slices.SortFunc(real.all, note.compare)
			if len(simulated.all) < 200 || !slices.Equal(simulated.all, real.all) {
				t.Errorf("%d notes simulated and %d real", len(simulated.all), len(real.all))
				for i := range min(len(simulated.all), len(real.all)) {
					if simulated.all[i] != real.all[i] {
						t.Fatalf("note %d: simulated %+v, real %+v", i, simulated.all[i], real.all[i])
					}
				}
			}
		})
	}
}
