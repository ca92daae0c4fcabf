package scenario

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// server is a Server at work. Its work has a clock of its own, progress, that
// stands still during a stall and, if the server shares itself, runs the slower
// the more calls there are. On that clock it is known from the start when a
// call will be done.
type server struct {
	Server
	random *rand.Rand

	line    ring[int32] // calls that wait for a worker
	workers int
	busy    int // workers; of a sharing server, calls
	work    jobs

	progress float64       // ns on the clock of the work
	speed    float64       // of it
	stalled  bool          // it stands still
	looked   time.Duration // when progress was brought up to date
	due      time.Duration // when the next job will be done, or never

	tokens   float64 // of the quota
	filledAt time.Duration

	busyTime float64 // ∫ busy dt since the last scaling, in ns
}

const never = time.Duration(math.MaxInt64)

// waiting is how many calls are there that nobody works on.
func (s *server) waiting() int {
	if s.Kind == Sharing {
		return 0
	}
	return s.line.size
}

// become changes what the server is.
func (s *server) become(v Server, now time.Duration) {
	s.advance(now)
	kept := s.Server
	s.Server = v
	if v.MostWorkers == 0 || v.MostWorkers != kept.MostWorkers || v.Workers != kept.Workers {
		s.workers = v.Workers
	}
	if v.Quota != kept.Quota || v.Burst != kept.Burst {
		s.tokens, s.filledAt = float64(v.Burst), now
	}
	s.paced(now)
}

// advance brings the clock of the work up to date.
func (s *server) advance(now time.Duration) {
	d := float64(now - s.looked)
	s.looked = now
	s.progress += d * s.speed
	s.busyTime += d * float64(s.busy)
}

// paced finds out how fast work goes from now on, and when the next job is done.
func (s *server) paced(now time.Duration) {
	s.speed = 1
	if s.Kind == Sharing && s.busy > 0 {
		n := float64(s.busy)
		s.speed = 1 / (1 + s.Sigma*(n-1) + s.Kappa*n*(n-1))
		if s.workers > 0 {
			s.speed *= math.Min(1, float64(s.workers)/n)
		}
	}
	if s.stalled {
		s.speed = 0
	}
	s.due = never
	if len(s.work) > 0 && s.speed > 0 {
		// Rounded up: a nanosecond too early it would not be done.
		s.due = now + time.Duration(math.Ceil(math.Max(0, s.work[0].at-s.progress)/s.speed))
	}
}

// reach is the arrival of a call at the server.
func (m *simulation) reach(c int32) {
	s := &m.server
	if s.Quota > 0 && !s.token(m.now) {
		m.reply(c, limiter.Refused, 0)
		return
	}
	if s.Faults > 0 && s.random.Float64() < s.Faults {
		o := limiter.Failed
		if s.FaultsRefuse {
			o = limiter.Refused
		}
		m.reply(c, o, s.FaultAfter)
		return
	}
	s.advance(m.now)
	if s.Kind == Sharing {
		s.busy++
		s.work.push(job{s.progress + s.Service.draw(s.random), c})
		s.paced(m.now)
		return
	}
	if s.Places > 0 && s.busy >= s.workers && s.line.size >= s.Places {
		m.reply(c, limiter.Refused, 0)
		return
	}
	m.calls[c].reached = m.now
	s.line.push(c)
	m.serve()
}

// token takes one if there is one.
func (s *server) token(now time.Duration) bool {
	s.tokens = math.Min(float64(s.Burst), s.tokens+(now-s.filledAt).Seconds()*s.Quota)
	s.filledAt = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}

// serve has idle workers begin with what waits. The clock of the work is up to
// date.
func (m *simulation) serve() {
	s := &m.server
	for s.line.size > 0 && s.busy < s.workers {
		s.busy++
		first := s.line.pop()
		m.calls[first].next, m.calls[first].begun = none, m.now
		takes := s.Service.draw(s.random)
		if s.Kind == Batching {
			last, n := first, 1
			for ; n < s.Batch && s.line.size > 0; n++ {
				c := s.line.pop()
				m.calls[last].next, m.calls[c].next, m.calls[c].begun = c, none, m.now
				last = c
			}
			takes += float64(n) * float64(s.PerCall)
		}
		s.work.push(job{s.progress + takes, first})
	}
	s.paced(m.now)
}

// done ends the job that is due.
func (m *simulation) done() {
	s := &m.server
	s.advance(m.now)
	// What rounding has left over would otherwise be made up for in steps of
	// a nanosecond.
	s.progress = math.Max(s.progress, s.work[0].at)
	c := s.work.pop()
	s.busy--
	for c != none {
		next := m.calls[c].next
		if s.Kind != Batching {
			next = none
		}
		m.reply(c, limiter.Success, 0)
		c = next
	}
	if s.Kind == Sharing {
		s.paced(m.now)
	} else {
		m.serve()
	}
}

// reply sends an answer on its way. To a caller who has left there is none.
func (m *simulation) reply(c int32, o limiter.Outcome, after time.Duration) {
	k := &m.calls[c]
	if k.left {
		m.free(c)
		return
	}
	k.outcome = o
	cl := &m.clients[k.client]
	on := cl.back
	if after > 0 {
		on = noLane
	}
	m.agenda.add(event{at: m.now + after + m.way(cl), what: answered, subject: c}, on)
}

// stall stops the work, or lets it go on.
func (m *simulation) stall(stalled bool) {
	s := &m.server
	s.advance(m.now)
	s.stalled = stalled
	s.paced(m.now)
	if stalled {
		m.agenda.add(event{at: m.now + s.StallFor, what: stallEnds}, noLane)
	}
}

// scale looks how busy the workers were and decides how many there shall be.
func (m *simulation) scale() {
	s := &m.server
	s.advance(m.now)
	mean := s.busyTime / float64(s.ScaleEvery)
	s.busyTime = 0
	want := min(s.MostWorkers, max(s.Workers, int(math.Ceil(mean/s.ScaleTo))))
	if want != s.workers {
		m.agenda.add(event{at: m.now + s.ScaleAfter, what: scaled, subject: int32(want)}, noLane)
	}
	m.agenda.add(event{at: m.now + s.ScaleEvery, what: scales, generation: m.era}, noLane)
}
