// Package hoststats is what the adapters of httpclient to systems of metrics have in
// common: the names of what is counted, which hosts have a name of their own, and
// the sum of those that have none.
package hoststats

import (
	"math"
	"sync"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// Other is what hosts are called that have no name of their own, as OpenTelemetry's
// semantic conventions call other things of which there are too many.
const Other = "_OTHER"

// UsualNames is how many names there are when nobody says.
const UsualNames = 100

// Names are those that have series of their own: the first ones that come, for
// good, since a series that comes and goes is worse than none. It is safe for
// concurrent use.
type Names struct {
	most  int
	mu    sync.Mutex
	known map[string]bool
}

// NewNames returns Names of which there are at most so many.
func NewNames(most int) *Names { return &Names{most: most, known: map[string]bool{}} }

// Of returns name if it is among them, or can still be, and Other if not.
func (n *Names) Of(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.known[name] {
		if len(n.known) >= n.most {
			return Other
		}
		n.known[name] = true
	}
	return name
}

// A Count is a number and what it counts.
type Count struct {
	Name string
	N    *uint64
}

// Rejected are the counts of c, by reason.
func Rejected(c *limiter.RejectedCounts) [6]Count {
	return [6]Count{
		{"queue_full", &c.QueueFull},
		{"evicted", &c.Evicted},
		{"max_wait", &c.WaitedTooLong},
		{"deadline", &c.Deadline},
		{"gave_up", &c.GaveUp},
		{"busy", &c.Busy},
	}
}

// Outcomes are the counts of c, by outcome.
func Outcomes(c *limiter.OutcomeCounts) [6]Count {
	return [6]Count{
		{"success", &c.Success},
		{"failed", &c.Failed},
		{"refused", &c.Refused},
		{"overdue", &c.Overdue},
		{"cancelled", &c.Cancelled},
		{"ignored", &c.Ignored},
	}
}

// Add adds what can be added of h to sum. The limit of a sum is the sum of the
// limits, and none if one of them is none; the state of its breaker means nothing.
func Add(sum, h *httpclient.HostStats) {
	a, b := &sum.Limiter, &h.Limiter
	if a.Limit == math.MaxInt || b.Limit == math.MaxInt {
		a.Limit = math.MaxInt
	} else {
		a.Limit += b.Limit
	}
	a.InFlight += b.InFlight
	from := Outcomes(&b.Outcomes)
	for i, c := range Outcomes(&a.Outcomes) {
		*c.N += *from[i].N
	}
	a.Leaked += b.Leaked
	addQueue(a, b)
	addQueue(&sum.Pacer, &h.Pacer)
	sum.Breaker.Opened += h.Breaker.Opened
	sum.Breaker.Refused += h.Breaker.Refused
	sum.Pace += h.Pace
	sum.Retries += h.Retries
	sum.RetriesDenied += h.RetriesDenied
}

// addQueue adds what has happened in the queue of a limiter.
func addQueue(sum, l *limiter.Stats) {
	sum.Queued += l.Queued
	sum.Admitted += l.Admitted
	from := Rejected(&l.Rejected)
	for i, c := range Rejected(&sum.Rejected) {
		*c.N += *from[i].N
	}
	sum.Waiting.Count += l.Waiting.Count
	sum.Waiting.Total += l.Waiting.Total
}
