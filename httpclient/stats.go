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
		s.Hosts = append(s.Hosts, HostStats{h.name, h.limiter.Stats(), h.breakerStats()})
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

func (h *host) breakerStats() BreakerStats {
	b := h.breaker
	if b == nil {
		return BreakerStats{}
	}
	s := BreakerStats{State: b.two.State(), Counts: b.two.Counts(), Refused: b.refused.Load()}
	h.settle() // asking may have made it half-open
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Opened = b.opened
	return s
}
