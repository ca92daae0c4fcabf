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

	limit    atomic.Int64
	started  atomic.Uint64
	reported atomic.Uint64
	refused  atomic.Uint64
	last     atomic.Uint64 // in flight and queued, 32 bits each, when something last happened

	// What follows is the lease's.
	before, refusedBefore uint64
	demand                float64
	members               int
	heard                 bool // of the ledger
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
	s.refused.Add(1)
	return limit, s.every / polls // the limit may have grown by then
}

func (s *slots) Start(at limiter.State) {
	s.note(at)
	s.started.Add(1)
}

func (s *slots) Report(at limiter.State, _ limiter.Result) {
	s.note(at)
	s.reported.Add(1)
}

func (s *slots) note(at limiter.State) {
	s.last.Store(uint64(at.InFlight)<<32 | uint64(at.Queued)&math.MaxUint32)
}

func (s *slots) request(time.Duration, bool) request {
	started, reported := s.started.Load(), s.reported.Load()
	last := s.last.Load()
	used, queued := int64(last>>32), int64(last&math.MaxUint32)
	refused := s.refused.Load()
	if events := started + reported + refused; events == s.before {
		// Nothing has happened. What has been reported since the last event may have
		// been released too, which a Policy is not told. Nor is it told of reports while
		// the Limiter has another Policy, and then the counts stay apart.
		used = min(used, int64(started-reported))
	} else {
		s.before = events
	}
	if refused == s.refusedBefore {
		queued = 0 // it is not for us that they wait
	} else {
		s.refusedBefore = refused
	}
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
