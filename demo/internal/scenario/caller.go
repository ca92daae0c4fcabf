package scenario

import (
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// client is a Client at work.
type client struct {
	Client
	gate    int32
	known   bool    // has been there
	present int     // callers, wherever they are in their loop
	clock   float64 // how far the clock is off, of ClockWithin

	there, back, overdue, givenUp, shed int16 // lanes
}

const unasked = -1

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
		if !g.open() {
			*g = gate{born: m.now, limit: unasked, first: none, last: none, wakeAt: never}
			if m.bubble != nil && c.counted() {
				g.real = m.bubble.newLimiter(int(i))
			} else {
				g.policy = m.policy(i)
			}
		}
	}
	g.epoch = m.wall.Add(g.born + c.ClockError + time.Duration(c.clock*float64(c.ClockWithin)))
	if g.real == nil && g.limit == unasked {
		g.limit, _ = g.policy.Next(m.state(g)) // as SetPolicy does
	}
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
		return maker.New(Setup{Seed: uint64(i)})
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
	m.agenda.add(event{at: m.now + time.Duration(m.outside.ExpFloat64()*mean), what: comes, subject: i, generation: m.era}, noLane)
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
