package scenario

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A simulation is a world at work.
type simulation struct {
	world  *World
	now    time.Duration
	agenda agenda
	calls  []call
	vacant []int32 // indexes of calls that have ended

	server  server
	clients []client
	gates   []gate
	seed    uint64
	random  *rand.Rand // of callers and paths
	outside *rand.Rand // of calls from outside
	wall    time.Time  // when now is 0

	phase int
	began time.Duration // the phase
	ends  time.Duration
	era   uint32 // of what recurs on its own; what was planned in another is void

	seen   record
	events uint64

	newPolicy func(client int) limiter.Policy
	bubble    *bubble // in which it is played with real limiters, or nil

	// The last phase may end sooner, with so many successes, but not before
	// it has lasted for atLeast. 0: only time ends it.
	enough  int
	atLeast time.Duration
}

// A call is one from its submission until neither its caller nor the server has
// anything to do with it. A body that is being read after the answer counts as
// another one.
type call struct {
	submitted, started time.Duration
	reached, begun     time.Duration // the server, to wait for a worker, and the work
	client             int32
	generation         uint32 // counts the calls that have had this place
	next, previous     int32  // in the line at the gate, or in a batch
	waiting            bool   // at the gate
	outside            bool   // came from outside the closed loop
	left               bool   // its caller does not wait for the answer
	outcome            limiter.Outcome
}

const none = -1

// newSimulation returns a simulation of w. With joint all clients share one
// gate.
func newSimulation(w *World, seed uint64, joint bool, newPolicy func(client int) limiter.Policy) *simulation {
	n := len(w.Phases[0].Clients)
	m := &simulation{
		world: w, newPolicy: newPolicy,
		seed: seed, server: server{due: never},
		clients: make([]client, n), gates: make([]gate, n),
	}
	// Where the changes of the world lie on the grid of the wall clock is a
	// matter of the seed.
	clocks := rand.New(rand.NewPCG(seed, math.MaxUint64))
	offset := time.Duration(clocks.Float64() * float64(1024*time.Second))
	m.wall = time.Unix(1_700_000_000, 0).Add(offset)
	for i := range m.clients {
		c := &m.clients[i]
		c.clock = 2*clocks.Float64() - 1
		if !joint || !w.Phases[0].Clients[i].counted() {
			c.gate = int32(i)
		}
		for _, l := range []*int16{&c.there, &c.back, &c.overdue, &c.givenUp, &c.shed} {
			*l = m.agenda.newLane()
		}
	}
	m.seen = newRecord(w)
	return m
}

// run runs the world to its end.
func (m *simulation) run() {
	m.enter(0)
	for {
		e := m.agenda.next()
		at := m.server.due
		served := e == nil || at <= e.at
		if !served {
			at = e.at
		}
		if m.bubble != nil && !m.bubble.passes(min(at, m.seen.binEnds)) {
			continue
		}
		if at >= m.seen.binEnds {
			// No event can come between, so this is what the bin's end saw.
			m.now = m.seen.binEnds
			m.endBin()
			if m.now >= m.ends && !m.enterNext() {
				return
			}
			continue
		}
		m.now = at
		m.events++
		if served {
			m.done()
			continue
		}
		happens := *e
		m.agenda.drop(m.calls)
		m.happen(&happens)
		if m.enough > 0 && m.phase == len(m.world.Phases)-1 {
			s := m.seen.current
			if long := m.now - m.began; long >= m.atLeast && s.counts.enough(m.enough) {
				s.long = long
				return
			}
		}
	}
}

func (m *simulation) happen(e *event) {
	if e.stale(m.calls) {
		return
	}
	switch e.what {
	case arrives:
		m.reach(e.subject)
	case answered:
		c := e.subject
		if !m.calls[c].left {
			m.finish(c, m.calls[c].outcome)
		}
		m.free(c)
	case overdue:
		m.leave(e.subject, limiter.Overdue)
	case givenUp:
		m.leave(e.subject, limiter.Cancelled)
	case impatient:
		if m.calls[e.subject].waiting {
			m.drop(e.subject)
		} else {
			m.leave(e.subject, limiter.Cancelled)
		}
	case shed:
		if m.calls[e.subject].waiting {
			m.drop(e.subject)
		}
	case released:
		m.read(e.subject)
	case returns:
		m.submit(e.subject, false)
		m.dispatch(&m.gates[m.clients[e.subject].gate])
	case comes:
		if e.generation == m.era {
			m.come(e.subject)
		}
	case wakes:
		g := &m.gates[e.subject]
		if g.wakeAt == e.at {
			g.wakeAt = never
			m.dispatch(g)
		}
	case stallBegins:
		if e.generation == m.era {
			m.stall(true)
			m.agenda.add(event{at: m.now + m.server.StallEvery, what: stallBegins, generation: m.era}, noLane)
		}
	case stallEnds:
		m.stall(false)
	case scales:
		if e.generation == m.era {
			m.scale()
		}
	case scaled:
		m.server.advance(m.now)
		m.server.workers = int(e.subject)
		m.serve()
	}
}

// enterNext enters the next phase and reports whether there is one.
func (m *simulation) enterNext() bool {
	if m.phase+1 == len(m.world.Phases) {
		return false
	}
	m.enter(m.phase + 1)
	return true
}

// enter makes the world what it is in a phase.
func (m *simulation) enter(phase int) {
	p := &m.world.Phases[phase]
	m.phase, m.began, m.ends = phase, m.now, m.now+p.Long
	m.era++
	// Every phase has chance of its own, so that what a policy did in the one
	// before does not change which calls come in this one, and with what work.
	m.random = rand.New(rand.NewPCG(m.seed, uint64(3*phase)))
	m.outside = rand.New(rand.NewPCG(m.seed, uint64(3*phase+1)))
	m.server.random = rand.New(rand.NewPCG(m.seed, uint64(3*phase+2)))
	m.seen.enter(phase, m.now)
	s := &m.server
	s.become(p.Server, m.now)
	if s.Kind != Sharing {
		m.serve()
	}
	if s.StallEvery > 0 {
		m.agenda.add(event{at: m.now + s.StallEvery - s.StallFor, what: stallBegins, generation: m.era}, noLane)
	}
	if s.MostWorkers > 0 {
		s.busyTime = 0
		m.agenda.add(event{at: m.now + s.ScaleEvery, what: scales, generation: m.era}, noLane)
	}
	for i := range m.clients {
		m.change(int32(i), &p.Clients[i])
	}
}

// call returns a place for a call of a client.
func (m *simulation) call(client int32) int32 {
	var c int32
	if last := len(m.vacant) - 1; last >= 0 {
		c = m.vacant[last]
		m.vacant = m.vacant[:last]
	} else {
		m.calls = append(m.calls, call{})
		c = int32(len(m.calls) - 1)
	}
	k := &m.calls[c]
	*k = call{submitted: m.now, client: client, generation: k.generation, next: none, previous: none, waiting: true}
	return c
}

func (m *simulation) free(c int32) {
	m.calls[c].generation++
	m.vacant = append(m.vacant, c)
}
