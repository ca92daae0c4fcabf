package origin

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// maxWorkers keeps a mistyped number from allocating the machine's memory; it
// is far above any pool whose timing a single process could keep.
const maxWorkers = 1 << 16

// What is above these is above what kernels and HTTP/2 have room for.
const (
	maxBacklog = 1 << 16
	maxStreams = 1 << 20
)

// Config describes an origin. The zero value is the origin of the demo's second
// experiment: 8 workers × 10 ms = 800 requests per second, unlimited queue, a
// free port on 127.0.0.1. A Config is a plain value and is not changed by Start.
type Config struct {
	// Workers is how many requests are worked on at once; 0 means 8.
	Workers int
	// Service is how long each request keeps its worker; 0 means 10 ms.
	Service time.Duration
	// Queue is how many requests may wait when all workers are busy. Beyond
	// it the origin answers 503 with Retry-After at once. 0 means unlimited,
	// which is what the experiments need to show timeouts instead of refusals.
	Queue int
	// Network is how long a request and its answer are on their way, both
	// together; 0 means no longer than loopback takes. It is time in which no
	// worker is busy, so it lowers no capacity; it raises how many calls must
	// be in flight to use it. Refusals travel as long.
	Network time.Duration
	// Quota is how many requests per second are let in, with a burst of a
	// tenth of a second's worth. The others are answered 429 with Retry-After.
	// 0 means no quota.
	Quota float64
	// Backlog is how many connections may wait to be accepted. The kernel
	// drops the handshakes of the others, and their callers try again after a
	// second. The origin then keeps no connection alive, as every request
	// would otherwise be on one that was accepted long ago. 0 means the
	// system's own bound and connections that are kept alive. Unix only.
	Backlog int
	// Streams makes the origin speak HTTP/2, too, without TLS, and is how many
	// requests may share one connection. What a client sends beyond that,
	// before it knows better, is refused, and net/http's client tries again
	// after about a second. 0 means HTTP/1.1 only.
	Streams int
	// Addr is the address to listen on; "" means "127.0.0.1:0", a free port.
	// It must be a loopback IP address with a port, since an origin that is
	// meant to be overloaded has no business on a network.
	Addr string
}

// Capacity returns how many requests the origin can finish per second, with the
// defaults applied: 800 for the zero Config. More cannot be had from it for
// longer than an instant. A quota below what the workers can do is the capacity.
// The result means nothing for a Config that Start would refuse.
func (c Config) Capacity() float64 {
	c = c.withDefaults()
	capacity := float64(c.Workers) / c.Service.Seconds()
	if c.Quota > 0 {
		capacity = min(capacity, c.Quota)
	}
	return capacity
}

func (c Config) withDefaults() Config {
	if c.Workers == 0 {
		c.Workers = 8
	}
	if c.Service == 0 {
		c.Service = 10 * time.Millisecond
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	return c
}

// validate expects the defaults to be applied already.
func (c Config) validate() error {
	if c.Workers < 1 || c.Workers > maxWorkers {
		return fmt.Errorf("origin: Config.Workers is %d, want 1 to %d, or 0 for 8", c.Workers, maxWorkers)
	}
	if c.Service < 0 {
		return fmt.Errorf("origin: Config.Service is %v, want a positive duration, or 0 for 10ms", c.Service)
	}
	if c.Queue < 0 {
		return fmt.Errorf("origin: Config.Queue is %d, want a positive number, or 0 for unlimited", c.Queue)
	}
	if c.Network < 0 {
		return fmt.Errorf("origin: Config.Network is %v, want a positive duration, or 0 for none", c.Network)
	}
	if c.Quota < 0 || c.Quota != c.Quota || math.IsInf(c.Quota, 0) {
		return fmt.Errorf("origin: Config.Quota is %v, want a positive number, or 0 for none", c.Quota)
	}
	if c.Backlog < 0 || c.Backlog > maxBacklog {
		return fmt.Errorf("origin: Config.Backlog is %d, want 1 to %d, or 0 for the system's own", c.Backlog, maxBacklog)
	}
	if c.Backlog > 0 && !canSetBacklog {
		return fmt.Errorf("origin: Config.Backlog is %d, want 0: this system cannot change it", c.Backlog)
	}
	if c.Streams < 0 || c.Streams > maxStreams {
		return fmt.Errorf("origin: Config.Streams is %d, want 1 to %d, or 0 for HTTP/1.1 only", c.Streams, maxStreams)
	}
	const want = `want a loopback IP address with a port such as "127.0.0.1:8080", or "" for 127.0.0.1 and a free port`
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("origin: Config.Addr is %q, %s", c.Addr, want)
	}
	// Names are refused, "localhost" included: what they resolve to is decided
	// elsewhere and later, and the promise "loopback only" is made here.
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return fmt.Errorf("origin: Config.Addr is %q, %s", c.Addr, want)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("origin: Config.Addr is %q, %s", c.Addr, want)
	}
	return nil
}
