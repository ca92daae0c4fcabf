package fleet

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// slots is a holding of slots: a limit that the lease's side sets and the Limiter's
// side obeys.
type slots struct {
	all      int
	fallback int64
	every    time.Duration

	limit   atomic.Int64
	last    glance        // when a call last started or was reported
	refused atomic.Uint64 // how often there was no slot
	queued  atomic.Int64  // calls, when there was none

	// What follows is the Limiter's.
	working int64 // calls that have started and not been reported
	events  uint64

	// What follows is the lease's.
	before        uint64
	refusedBefore uint64
	demand        float64
	members       int
	heard         bool // of the ledger
}

func newSlots(c Config, n int) *slots {
	return &slots{all: n, every: c.Renew, fallback: int64(c.Fallback)}
}

func (s *slots) Next(at limiter.State) (limit int, wait time.Duration) {
	limit = int(s.limit.Load())
	if at.InFlight < limit {
		return limit, 0
	}
	s.note(at)
	s.queued.Store(int64(at.Queued))
	s.refused.Add(1)
	return limit, s.every / polls // the limit may have grown by then
}

func (s *slots) Start(at limiter.State) {
	s.working++
	s.note(at)
}

func (s *slots) Report(at limiter.State, _ limiter.Result) {
	s.working--
	s.note(at)
}

func (s *slots) note(at limiter.State) {
	s.events++
	s.last.set(at.InFlight, s.working, s.events)
}

// A glance is how things stand with a Limiter, in one word: several would cost a call
// as much as all the rest.
type glance struct{ word atomic.Uint64 }

const glanceBits = 24 // for each of two counts of calls; the rest is for the events

func (g *glance) set(inFlight int, working int64, events uint64) {
	const mask = 1<<glanceBits - 1
	g.word.Store(events<<(2*glanceBits) | uint64(inFlight)&mask<<glanceBits | uint64(working)&mask)
}

// get returns what has been set, and a number that says whether anything has since.
func (g *glance) get() (inFlight, working int64, events uint64) {
	const mask = 1<<glanceBits - 1
	word := g.word.Load()
	return int64(word >> glanceBits & mask), int64(word & mask), word >> (2 * glanceBits)
}

func (s *slots) request(time.Duration, bool) request {
	used, working, events := s.last.get()
	if events == s.before {
		// Nothing has happened. What has been reported since the last event may have
		// been released too, which a Policy is not told. Nor is it told of reports while
		// the Limiter has another Policy, and then the counts stay apart.
		used = min(used, working)
	}
	s.before = events
	queued := s.queued.Load()
	refused := s.refused.Load()
	if refused == s.refusedBefore {
		queued = 0 // it is not for us that they wait
	}
	s.refusedBefore = refused
	now := float64(used + queued)
	s.demand = max(now, s.demand+smoothing*(now-s.demand)) // up at once, down slowly
	has := s.limit.Load()
	claim := has
	if !s.heard {
		claim = max(claim, s.fallback)
	}
	return request{demand: math.Ceil(s.demand - 0.5), used: used, has: has, claim: claim}
}

func (s *slots) lend(r reply) {
	s.limit.Store(r.lent)
	s.members, s.heard = r.members, true
}

func (s *slots) late(reply) {}

func (s *slots) alone(time.Duration) {
	if !s.heard {
		s.limit.Store(s.fallback)
	}
}

// equal never gives more than there was in hand, since those that the ledger can hear
// may use all the rest, but for a first slot, so that no process stands still for as long
// as the ledger is away. With fewer slots than processes some do: one slot each would be
// too many.
func (s *slots) equal() {
	if s.members > 0 {
		limit, part := s.limit.Load(), int64(s.all/s.members)
		s.limit.Store(max(min(limit, part), min(1, max(limit, part))))
	}
}

func (s *slots) share() float64 { return float64(s.limit.Load()) }
