package httpclient

import (
	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/limiter"
)

// Stats is how a Transport stands.
type Stats struct {
	Hosts []HostStats // those it remembers, the most recently used first
}

// HostStats is how one host stands, and what has happened since the Transport
// began to remember it.
type HostStats struct {
	Host    string // "example.com:443"
	Limiter limiter.Stats
	Breaker BreakerStats
	Pacer   limiter.Stats // of the queue for the server's quota; zero if it has not said one
	Pace    float64       // requests per second that a quota allows now; 0 for no bound

	Retries       uint64 // attempts after the first
	RetriesDenied uint64 // those that the budget did not allow
	Bypassed      uint64 // attempts with WithBypass
	AtHead        uint64 // places given back at the head; see Config.ReleaseAtHead
	Overheld      uint64 // places given back by Config.MaxHold
}

// BreakerStats is how the circuit breaker of a host stands. It is the zero
// BreakerStats, which is closed, if breakers are disabled.
type BreakerStats struct {
	State   gobreaker.State
	Counts  gobreaker.Counts // within the window; Requests includes those on their way
	Opened  uint64           // how many times
	Refused uint64           // requests it did not let through
}

// Stats returns how t stands. It may be called at any time; its cost grows
// with the number of hosts.
func (t *Transport) Stats() Stats {
	t.once.Do(t.init)
	var s Stats
	t.hosts.Each(func(_ key, h *host) bool {
		s.Hosts = append(s.Hosts, h.stats())
		return true
	})
	return s
}

// Host returns how the host of that name, such as "example.com:443", stands, and
// false if the Transport does not remember it.
func (s Stats) Host(name string) (HostStats, bool) {
	for _, h := range s.Hosts {
		if h.Host == name {
			return h, true
		}
	}
	return HostStats{}, false
}

func (h *host) stats() HostStats {
	s := HostStats{
		Host: h.name, Limiter: h.limiter.Stats(), Breaker: h.breakerStats(),
		Retries: h.retries.Load(), RetriesDenied: h.retriesDenied.Load(),
		Bypassed: h.bypassed.Load(), AtHead: h.atHead.Load(), Overheld: h.overheld.Load(),
	}
	if p := h.pacer.Load(); p != nil {
		s.Pacer, s.Pace = p.limiter.Stats(), p.policy.pace()
	}
	h.lookForLeaks()
	return s
}

func (h *host) breakerStats() BreakerStats {
	b := h.breaker
	if b == nil {
		return BreakerStats{}
	}
	s := BreakerStats{State: gobreaker.StateOpen, Counts: b.two.Counts(), Refused: b.refused.Load()}
	if h.check() == nil { // gobreaker calls it half-open a little before it lets anybody through
		s.State = b.two.State()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Opened = b.opened
	return s
}
