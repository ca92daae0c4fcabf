package scenario

import (
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A gate plays the engine of package limiter for one policy: it keeps the line
// of those who wait, asks the policy, and tells it of starts and reports in the
// order and with the State that a Limiter would.
type gate struct {
	policy   limiter.Policy
	real     Limiter       // in place of the policy and of all that is below; see bubble
	born     time.Duration // State.Now counts from here
	epoch    time.Time
	inFlight int

	first, last int32 // in the line
	queued      int

	limit  int           // what the policy said last
	paused time.Duration // no call starts before
	wakeAt time.Duration // when it wants to be asked again, or never
}

// open reports whether there is a gate.
func (g *gate) open() bool { return g.policy != nil || g.real != nil }

func (m *simulation) state(g *gate) limiter.State {
	return limiter.State{Now: m.now - g.born, Epoch: &g.epoch, InFlight: g.inFlight, Queued: g.queued}
}

// dispatch starts who waits, in order, for as long as the policy allows.
func (m *simulation) dispatch(g *gate) {
	if g.real != nil {
		return // it does so itself
	}
	for g.queued > 0 {
		limit, wait := g.policy.Next(m.state(g))
		g.limit = limit
		wait = max(wait, g.paused-m.now)
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
		m.start(g, g.first)
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
	m.unlink(g, c)
	k := &m.calls[c]
	k.waiting, k.started = false, m.now
	g.inFlight++
	if g.real == nil {
		g.policy.Start(m.state(g))
	}
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
	if d := m.server.RetryAfter; d > 0 && o == limiter.Refused && !cl.Unlimited {
		m.pause(g, c, d) // before the report, which may let the next call start
	}
	if g.real == nil {
		r := limiter.Result{Outcome: o, Latency: latency}
		if _, ok := g.policy.(told); ok && o == limiter.Success && m.server.Kind != Sharing {
			r.Hinted, r.QueueDelay = true, k.begun-k.reached
		}
		g.policy.Report(m.state(g), r)
	}
	if cl.counted() {
		m.seen.fly(m.now, -1)
		m.seen.ended(o, latency)
	}
	if o == limiter.Success {
		m.seen.current.clients[k.client]++
	}
	client, outside, body := k.client, k.outside, int32(none)
	if o == limiter.Success && cl.BodyShare > 0 && m.random.Float64() < cl.BodyShare {
		body = m.call(client)
		m.agenda.add(event{at: m.now + time.Duration(cl.Body.draw(m.random)), what: released, subject: body}, noLane)
	} else {
		g.inFlight--
	}
	if g.real != nil {
		m.bubble.ended(c, o, body)
	}
	m.comeBack(client, outside, o == limiter.Success)
	m.dispatch(g)
}

// pause lets no call start for d: a refusal of c has asked for it.
func (m *simulation) pause(g *gate, c int32, d time.Duration) {
	if g.real != nil {
		m.bubble.tickets[c].permit.Pause(d)
		return
	}
	g.paused = max(g.paused, m.now+d)
}

// read ends the body of a call, and with it what the call had at its gate.
func (m *simulation) read(body int32) {
	g := &m.gates[m.clients[m.calls[body].client].gate]
	g.inFlight--
	if g.real != nil {
		m.bubble.read(body)
	}
	m.free(body)
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
	if g.real != nil {
		m.bubble.ticket(c).cancel()
	}
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
	if g.real != nil {
		m.bubble.ask(g, c)
	}
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
