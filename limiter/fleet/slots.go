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
	all   int
	every time.Duration

	limit    atomic.Int64
	started  atomic.Uint64
	reported atomic.Uint64
	refused  atomic.Uint64
	last     atomic.Uint64 // in flight and queued, 32 bits each, when something last happened

	// What follows is the lease's.
	before  uint64 // events
	demand  float64
	members int
}

func newSlots(c Config, n int) *slots {
	s := &slots{all: n, every: c.Renew}
	s.limit.Store(int64(c.Fallback))
	return s
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
	if events := started + reported + s.refused.Load(); events == s.before {
		// Nothing has happened, so nobody waits. What has been reported since the
		// last event may have been released too, which a Policy is not told.
		used, queued = int64(started-reported), 0
	} else {
		s.before = events
	}
	now := float64(used + queued)
	s.demand = max(now, s.demand+smoothing*(now-s.demand)) // up at once, down slowly
	return request{demand: math.Ceil(s.demand - 0.5), used: used, claim: s.limit.Load()}
}

func (s *slots) lend(r reply) {
	s.limit.Store(r.lent)
	s.members = r.members
}

func (s *slots) alone(time.Duration) {}

// equal leaves each process at least one slot, so that none stands still for as long
// as the ledger is away.
func (s *slots) equal() {
	if s.members > 0 {
		part := int64(max(1, s.all/s.members))
		if now := s.limit.Load(); now == 0 || now > part {
			s.limit.Store(part)
		}
	}
}

func (s *slots) share() float64 { return float64(s.limit.Load()) }
