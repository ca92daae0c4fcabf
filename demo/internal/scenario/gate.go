package scenario

import (
	"math/rand/v2"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A gate plays the engine of package limiter for one policy: it keeps the line
// of those who wait, asks the policy, and tells it of starts and reports in the
// order and with the State that a Limiter would.
type gate struct {
	policy   limiter.Policy
	born     time.Duration // State.Now counts from here
	epoch    time.Time
	inFlight int

	first, last int32 // in the line
	queued      int

	limit  int           // what the policy said last
	wakeAt time.Duration // when it wants to be asked again, or never
}

func (m *simulation) state(g *gate) limiter.State {
	return limiter.State{Now: m.now - g.born, Epoch: &g.epoch, InFlight: g.inFlight, Queued: g.queued}
}

// dispatch starts who waits, in order, for as long as the policy allows.
func (m *simulation) dispatch(g *gate) {
	for g.queued > 0 {
		limit, wait := g.policy.Next(m.state(g))
		g.limit = limit
		if wait > 0 {
			if at := m.now + min(wait, never-m.now); at != g.wakeAt {
				g.wakeAt = at
				m.agenda.add(event{at: at, what: wakes, subject: m.indexOf(g)}, noLane)
			}
			return
		}
		if g.inFlight >= limit {
			break
		}
		c := g.first
		m.unlink(g, c)
		m.start(g, c)
	}
	g.wakeAt = never
}

func (m *simulation) indexOf(g *gate) int32 {
	for i := range m.gates {
		if &m.gates[i] == g {
			return int32(i)
		}
	}
	panic("scenario: a gate of another simulation")
}

// start puts a call in flight.
func (m *simulation) start(g *gate, c int32) {
	k := &m.calls[c]
	k.waiting, k.started = false, m.now
	g.inFlight++
	g.policy.Start(m.state(g))
	cl := &m.clients[k.client]
	if cl.counted() {
		m.seen.fly(m.now, 1)
	}
	m.agenda.add(event{at: m.now + m.way(cl), what: arrives, subject: c}, cl.there)
	if cl.Timeout > 0 {
		m.agenda.add(event{at: m.now + cl.Timeout, what: overdue, subject: c, generation: k.generation}, cl.overdue)
	}
	if cl.GiveUp > 0 {
		m.agenda.add(event{at: m.now + cl.GiveUp, what: givenUp, subject: c, generation: k.generation}, cl.givenUp)
	}
}

// way is how long one way between a client and the server takes.
func (m *simulation) way(cl *client) time.Duration {
	way := cl.Path / 2
	if cl.Jitter.mean > 0 {
		way += time.Duration(cl.Jitter.draw(m.random))
	}
	return way
}

// finish reports the end of a call to its policy and sends its caller on.
func (m *simulation) finish(c int32, o limiter.Outcome) {
	k := &m.calls[c]
	cl := &m.clients[k.client]
	g := &m.gates[cl.gate]
	latency := m.now - k.started
	g.policy.Report(m.state(g), limiter.Result{Outcome: o, Latency: latency})
	if cl.counted() {
		m.seen.fly(m.now, -1)
		m.seen.ended(o, latency)
	}
	if o == limiter.Success {
		m.seen.current.clients[k.client]++
	}
	if o == limiter.Success && cl.BodyShare > 0 && m.random.Float64() < cl.BodyShare {
		m.agenda.add(event{at: m.now + time.Duration(cl.Body.draw(m.random)), what: released, subject: k.client}, noLane)
	} else {
		g.inFlight--
	}
	m.comeBack(k.client, k.outside, o == limiter.Success)
	m.dispatch(g)
}

// leave ends a call for its caller only. The server works on.
func (m *simulation) leave(c int32, o limiter.Outcome) {
	m.calls[c].left = true
	m.finish(c, o)
	m.calls[c].generation++ // nothing else can end it now
}

// drop ends a call that still waits.
func (m *simulation) drop(c int32) {
	client, outside := m.calls[c].client, m.calls[c].outside
	cl := &m.clients[client]
	g := &m.gates[cl.gate]
	m.unlink(g, c)
	m.free(c)
	if cl.counted() {
		m.seen.dropped()
	}
	m.comeBack(client, outside, false)
	m.dispatch(g)
}

func (m *simulation) link(g *gate, c int32) {
	if g.queued == 0 {
		g.first = c
	} else {
		m.calls[g.last].next = c
	}
	m.calls[c].previous, m.calls[c].next = g.last, none
	g.last = c
	g.queued++
}

func (m *simulation) unlink(g *gate, c int32) {
	k := &m.calls[c]
	g.queued--
	if k.previous != none {
		m.calls[k.previous].next = k.next
	} else {
		g.first = k.next
	}
	if k.next != none {
		m.calls[k.next].previous = k.previous
	} else {
		g.last = k.previous
	}
	k.next, k.previous = none, none
}

// client is a Client at work.
type client struct {
	Client
	gate    int32
	known   bool // has been there
	present int  // callers, wherever they are in their loop

	there, back, overdue, givenUp, shed int16 // lanes
}

// change makes a client what it is from now on.
func (m *simulation) change(i int32, to *Client) {
	c := &m.clients[i]
	c.Client = *to
	if c.Absent {
		c.Callers, c.Rate = 0, 0
		return
	}
	g := &m.gates[c.gate]
	if !c.known {
		c.known = true
		if g.policy == nil {
			*g = gate{policy: m.policy(i), born: m.now, first: none, last: none, wakeAt: never}
			g.limit, _ = g.policy.Next(m.state(g))
		}
	}
	g.epoch = m.wall.Add(g.born + c.ClockError)
	for ; c.present < c.Callers; c.present++ {
		m.submit(i, false)
	}
	if c.Rate > 0 {
		m.expect(i)
	}
	m.dispatch(g)
}

// policy makes the policy of a client.
func (m *simulation) policy(i int32) limiter.Policy {
	c := &m.clients[i]
	switch {
	case c.Unlimited:
		return limiter.Unlimited()
	case c.Policy != "":
		maker, err := MakerOf(c.Policy)
		if err != nil {
			panic("scenario: world " + m.world.Name + ": " + err.Error())
		}
		return maker.New(Setup{})
	}
	return m.newPolicy(int(i))
}

// submit has a client make a call, which waits at the gate.
func (m *simulation) submit(i int32, outside bool) {
	cl := &m.clients[i]
	c := m.call(i)
	m.calls[c].outside = outside
	m.link(&m.gates[cl.gate], c)
	if cl.counted() {
		m.seen.submitted++
	}
	if cl.MaxWait > 0 {
		m.agenda.add(event{at: m.now + cl.MaxWait, what: shed, subject: c, generation: m.calls[c].generation}, cl.shed)
	}
	if cl.Patience.mean > 0 {
		stands := time.Duration(cl.Patience.draw(m.random))
		m.agenda.add(event{at: m.now + stands, what: impatient, subject: c, generation: m.calls[c].generation}, noLane)
	}
}

// comeBack has a caller of the closed loop make its next call, now or later.
func (m *simulation) comeBack(i int32, outside, answered bool) {
	c := &m.clients[i]
	if outside {
		return
	}
	if c.present > c.Callers {
		c.present--
		return
	}
	wait := time.Duration(0)
	switch {
	case answered && c.Think.mean > 0:
		wait = time.Duration(c.Think.draw(m.random))
	case !answered && c.Backoff >= 0:
		mean := c.Backoff
		if mean == 0 {
			mean = 100 * time.Millisecond
		}
		wait = time.Duration(m.random.ExpFloat64() * float64(mean))
	}
	if wait == 0 {
		m.submit(i, false)
		return
	}
	m.agenda.add(event{at: m.now + wait, what: returns, subject: i}, noLane)
}

// expect plans the next calls from outside.
func (m *simulation) expect(i int32) {
	c := &m.clients[i]
	mean := float64(max(1, c.Together)) / c.Rate * float64(time.Second)
	m.agenda.add(event{at: m.now + time.Duration(m.random.ExpFloat64()*mean), what: comes, subject: i, generation: m.era}, noLane)
}

// come is the arrival of calls from outside.
func (m *simulation) come(i int32) {
	c := &m.clients[i]
	for range max(1, c.Together) {
		m.submit(i, true)
	}
	m.expect(i)
	m.dispatch(&m.gates[c.gate])
}

// newSimulation returns a simulation of w. With joint all clients share one
// gate.
func newSimulation(w *World, seed uint64, joint bool, newPolicy func(client int) limiter.Policy) *simulation {
	n := len(w.Phases[0].Clients)
	m := &simulation{
		world: w, newPolicy: newPolicy,
		server:  server{random: rand.New(rand.NewPCG(seed, 1)), looked: 0, due: never},
		random:  rand.New(rand.NewPCG(seed, 2)),
		clients: make([]client, n), gates: make([]gate, n),
	}
	// Where the changes of the world lie on the grid of the wall clock is a
	// matter of the seed.
	offset := time.Duration(m.random.Float64() * float64(1024*time.Second))
	m.wall = time.Unix(1_700_000_000, 0).Add(offset)
	for i := range m.clients {
		c := &m.clients[i]
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
