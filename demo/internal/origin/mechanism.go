package origin

import (
	"fmt"
	"strings"
	"time"
)

// A Mechanism is a way in which an origin stops coping with its callers.
type Mechanism string

// The mechanisms. Connection slots, as a database has them, are package
// postgres.
const (
	Slow    Mechanism = "slow"    // every request waits its turn, however long
	Queue   Mechanism = "queue"   // a bounded queue, and 503 for the others
	Quota   Mechanism = "quota"   // so many per second, and 429 for the others
	Backlog Mechanism = "backlog" // few connections may wait to be accepted
	Streams Mechanism = "streams" // few requests may share a connection of HTTP/2; see [Config.Transport]
)

// Mechanisms are all of them.
var Mechanisms = []Mechanism{Slow, Queue, Quota, Backlog, Streams}

// The parameters of mechanisms that are asked for by name alone. The queue
// holds what 8 workers do in 60 ms; the quota is half of what the workers could
// do, so that it and not they are what is met first.
const (
	defaultQueue   = 50
	defaultQuota   = 0.5
	defaultBacklog = 16
	defaultStreams = 8
)

// With returns c with the parameter of m set, unless it is set already.
func (c Config) With(m Mechanism) Config {
	switch {
	case m == Queue && c.Queue == 0:
		c.Queue = defaultQueue
	case m == Quota && c.Quota == 0:
		c.Quota = defaultQuota * c.Capacity()
	case m == Backlog && c.Backlog == 0:
		c.Backlog = defaultBacklog
	case m == Streams && c.Streams == 0:
		c.Streams = defaultStreams
	}
	return c
}

// Mechanisms returns the ways in which c stops coping, Slow if it has no other.
func (c Config) Mechanisms() []Mechanism {
	var ms []Mechanism
	for _, m := range []struct {
		on bool
		m  Mechanism
	}{{c.Queue > 0, Queue}, {c.Quota > 0, Quota}, {c.Backlog > 0, Backlog}, {c.Streams > 0, Streams}} {
		if m.on {
			ms = append(ms, m.m)
		}
	}
	if len(ms) == 0 {
		ms = append(ms, Slow)
	}
	return ms
}

// String describes c in one line: what it can do, and how it stops coping.
func (c Config) String() string {
	c = c.withDefaults()
	var b strings.Builder
	fmt.Fprintf(&b, "%d workers × %v = %.0f/s", c.Workers, c.Service, float64(c.Workers)/c.Service.Seconds())
	if c.Network > 0 {
		fmt.Fprintf(&b, ", %v of network", c.Network)
	}
	for _, m := range c.Mechanisms() {
		b.WriteString("; " + c.describe(m))
	}
	return b.String()
}

func (c Config) describe(m Mechanism) string {
	switch m {
	case Queue:
		return fmt.Sprintf("bounded queue: %d may wait, 503 for the others", c.Queue)
	case Quota:
		return fmt.Sprintf("quota: %.0f per second, 429 for the others", c.Quota)
	case Backlog:
		return fmt.Sprintf("small backlog: %d connections wait to be accepted, none is kept alive", c.Backlog)
	case Streams:
		return fmt.Sprintf("HTTP/2 stream limit: %d requests share a connection, and what is refused is tried again after 1 s", c.Streams)
	default:
		return "slow service: every request waits its turn"
	}
}

// burst is how many requests a quota lets in at once after a pause.
func (c Config) burst() int {
	return max(1, int(c.Quota*quotaBurst.Seconds()))
}

// quotaBurst is short: a burst of a second's worth would hide the quota from
// whoever measures for a second.
const quotaBurst = 100 * time.Millisecond

// Settling is how long an origin that was idle may do more than it can do in the long
// run: until callers who ask for a fifth more than the quota have used up its burst. It
// is 0 without a quota.
func (c Config) Settling() time.Duration {
	if c.Quota > 0 {
		return 5 * quotaBurst
	}
	return 0
}
