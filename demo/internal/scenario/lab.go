package scenario

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A Lab runs worlds under policies and grades the results. It keeps the oracles
// it has found, so that a second policy or seed costs only its own run. It is
// safe for concurrent use; the zero value is ready.
type Lab struct {
	oracles oracles
}

// NewLab returns a Lab.
func NewLab() *Lab { return new(Lab) }

// Oracle returns the oracle of a phase.
func (l *Lab) Oracle(p *Phase) Oracle { return l.oracles.of(p) }

// Run runs one world under one policy. The same arguments have the same result,
// always.
func (l *Lab) Run(w *World, m Maker, seed uint64) *Result {
	simulation := newSimulation(w, seed, false, func(client int) limiter.Policy {
		return m.New(l.setup(w, &m, client))
	})
	simulation.run()
	r := &Result{World: w.Name, Group: w.Group, Policy: m.Name, Seed: seed, Events: simulation.events, Phases: simulation.result()}
	for i := range r.Phases {
		if r.Phases[i].Graded {
			r.Phases[i].grade(&simulation.seen.phases[i], l.Oracle(&w.Phases[i]))
		}
	}
	return r
}

// setup is what a policy of a client may know when it is made.
func (l *Lab) setup(w *World, m *Maker, client int) Setup {
	s := Setup{Initial: w.Initial}
	if !m.needsOracle() {
		return s
	}
	born, end := time.Duration(0), time.Duration(0)
	for i := range w.Phases {
		p := &w.Phases[i]
		end += p.Long
		if p.Clients[client].Absent {
			if len(s.Ends) == 0 {
				born = end
			}
			continue
		}
		// Each client has an equal part of what is there for all, and what
		// does not divide goes to the first ones.
		limit, there, before := l.Oracle(p).Limit, 0, 0
		for k := range p.Clients {
			if c := &p.Clients[k]; c.counted() && !c.Absent {
				there++
				if k < client {
					before++
				}
			}
		}
		part := limit / there
		if before < limit%there {
			part++
		}
		s.Oracle = append(s.Oracle, max(1, part))
		s.Ends = append(s.Ends, end-born)
	}
	return s
}

// A Job is one run that is wanted.
type Job struct {
	World *World
	Maker Maker
	Seed  uint64
}

// All runs the jobs, as many at a time as there are processors, and returns the
// results in the order of the jobs: those that were done before ctx ended, and
// nil for the others. It tells each, which may be nil, how many are done.
func (l *Lab) All(ctx context.Context, jobs []Job, each func(done int)) []*Result {
	results := make([]*Result, len(jobs))
	var next, done atomic.Int64
	var wg sync.WaitGroup
	var told sync.Mutex
	for range min(len(jobs), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) || ctx.Err() != nil {
					return
				}
				results[i] = l.Run(jobs[i].World, jobs[i].Maker, jobs[i].Seed)
				n := int(done.Add(1))
				if each != nil {
					told.Lock()
					each(n)
					told.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return results
}
