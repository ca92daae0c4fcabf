package scenario

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tidegate-go/tidegate/limiter"
)

// A Lab runs worlds under policies and grades the results. It keeps the oracles
// it has found, so that a second policy or seed costs only its own run. It is
// safe for concurrent use; the zero value is ready.
type Lab struct {
	oracles    oracles
	mu         sync.Mutex
	references map[chance]*reference
}

// A chance is one course of events of a world.
type chance struct {
	world *World
	seed  uint64
}

// A reference is what the oracle's limits achieve under the same chance as the
// policy that is graded: the same calls come, with the same work. Beside that
// policies differ by what they do and hardly by luck, however short a phase is.
type reference struct {
	once   sync.Once
	phases []PhaseResult
}

func (l *Lab) reference(w *World, seed uint64) []PhaseResult {
	l.mu.Lock()
	if l.references == nil {
		l.references = map[chance]*reference{}
	}
	c := chance{w, seed}
	r := l.references[c]
	if r == nil {
		r = new(reference)
		l.references[c] = r
	}
	l.mu.Unlock()
	r.once.Do(func() {
		limits, _ := l.limits(w)
		m := newSimulation(w, seed, true, func(int) limiter.Policy {
			return &schedule{limits: limits, ends: w.ends()}
		})
		m.run()
		r.phases = m.result()
	})
	return r.phases
}

// limits are the oracle's limits of the phases, and the phase that each is for.
// A phase that is not graded has that of the next one, since nobody asks how
// well it goes, and 1 if the server is down: it should leave no work behind.
func (l *Lab) limits(w *World) (limits []int, of []*Phase) {
	limits, of = make([]int, len(w.Phases)), make([]*Phase, len(w.Phases))
	limit, next := 1, &w.Phases[len(w.Phases)-1]
	for i := len(limits) - 1; i >= 0; i-- {
		p := &w.Phases[i]
		if !p.Ungraded || !w.graded() {
			limit, next = l.Oracle(p).Limit, p
		}
		limits[i], of[i] = limit, next
		if p.Ungraded && p.Server.Kind == FIFO && p.Server.Workers == 0 {
			limits[i] = 1
		}
	}
	return limits, of
}

// NewLab returns a Lab.
func NewLab() *Lab { return new(Lab) }

// Oracle returns the oracle of a phase.
func (l *Lab) Oracle(p *Phase) Oracle { return l.oracles.of(p) }

// Run runs one world under one policy. The same arguments have the same result,
// always.
func (l *Lab) Run(w *World, m Maker, seed uint64) *Result {
	simulation := newSimulation(w, seed, false, func(client int) limiter.Policy {
		return m.New(l.Setup(w, &m, client))
	})
	simulation.run()
	return l.grade(w, m.Name, seed, simulation)
}

// grade grades a simulation of w that has been run.
func (l *Lab) grade(w *World, policy string, seed uint64, simulation *simulation) *Result {
	r := &Result{World: w.Name, Group: w.Group, Policy: policy, Seed: seed, Events: simulation.events, Phases: simulation.result()}
	if !w.graded() {
		return r
	}
	beside := l.reference(w, seed)
	for i := range r.Phases {
		if r.Phases[i].Graded {
			r.Phases[i].grade(&simulation.seen.phases[i], l.Oracle(&w.Phases[i]), &beside[i])
		}
	}
	return r
}

// Setup is what a policy of a client may know when it is made.
func (l *Lab) Setup(w *World, m *Maker, client int) Setup { return l.setup(w, m.needsOracle(), client) }

func (l *Lab) setup(w *World, oracle bool, client int) Setup {
	s := Setup{Initial: w.Initial, Seed: uint64(client)}
	if !oracle {
		return s
	}
	// Each client has an equal part of what is there for all, and what does
	// not divide goes to the first ones.
	limits, of := l.limits(w)
	ends := w.ends()
	for i := range w.Phases {
		if w.Phases[i].Clients[client].Absent {
			continue
		}
		clients := of[i].Clients
		there, before := 0, 0
		for k := range clients {
			if c := &clients[k]; c.counted() && !c.Absent {
				there++
				if k < client {
					before++
				}
			}
		}
		part := limits[i] / max(1, there)
		if before < limits[i]%max(1, there) {
			part++
		}
		if len(s.Oracle) == 0 && i > 0 {
			s.Born = ends[i-1]
		}
		s.Oracle = append(s.Oracle, max(1, part))
		s.Ends = append(s.Ends, ends[i]-s.Born)
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
