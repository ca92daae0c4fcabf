package httpclient

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A key is what tells hosts apart: the name in lower case and the port, of
// which only the first may be empty. Comparing two strings saves joining them
// for each request.
type key struct{ name, port string }

// keyOf returns the key of the host that u points to. It is the URL's host that
// counts and not Request.Host, which names one of the many that a server
// behind that address may have.
func keyOf(u *url.URL) key {
	name, port := u.Host, ""
	if i := strings.LastIndexByte(name, ':'); i >= 0 && strings.IndexByte(name[i:], ']') < 0 {
		name, port = name[:i], name[i+1:]
	}
	if port == "" {
		switch strings.ToLower(u.Scheme) {
		case "http":
			port = "80"
		case "https":
			port = "443"
		default:
			port = u.Scheme // a protocol registered with http.Transport
		}
	}
	return key{strings.ToLower(name), port}
}

func (k key) String() string { return k.name + ":" + k.port }

// A host is what a Transport keeps about one host.
type host struct {
	name    string
	limiter *limiter.Limiter
	breaker *breaker // nil if disabled
	log     hostLog

	bodies    atomic.Int64 // held responses that have not ended
	keepUntil atomic.Int64 // Unix nanoseconds

	mu      sync.Mutex // guards waiting; leaf
	waiting map[*waiting]context.CancelCauseFunc
}

// newHost is called with the table of hosts locked.
func (t *Transport) newHost(k key) *host {
	h := &host{name: k.String()}
	h.log.to = t.log
	c := t.config
	if !c.Breaker.Disabled {
		h.breaker = newBreaker(c.Breaker)
	}
	if c.Limiter != nil {
		h.limiter = c.Limiter(h.name)
		if h.limiter == nil {
			h.limiter = new(limiter.Limiter)
		}
		return h
	}
	options := []limiter.Option{limiter.MaxQueue(maxQueue), limiter.MaxPause(c.MaxRetryAfter)}
	if t.config.Logger.Core() != nopCore { // being observed has a price
		options = append(options, limiter.Observe(h.observe))
	}
	h.limiter = limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{}), options...)
	return h
}

// busy reports whether forgetting h would forget something that matters: calls
// in flight, which a new Limiter would not count, an open breaker, or a pause.
// Requests that wait have pinned h anyway.
func (h *host) busy() bool {
	if h.keepUntil.Load() > time.Now().UnixNano() {
		return true
	}
	// Both must say so. A Limiter may be shared with busier hosts; a body may
	// have been forgotten, which only the Limiter finds out.
	return h.bodies.Load() > 0 && h.limiter.Stats().InFlight > 0
}

// keep sees to it that h is not forgotten for the time d.
func (h *host) keep(d time.Duration) {
	until := time.Now().Add(d).UnixNano()
	for {
		old := h.keepUntil.Load()
		if old >= until || h.keepUntil.CompareAndSwap(old, until) {
			return
		}
	}
}

// pause holds back the requests to h because the server has asked for it.
func (h *host) pause(p limiter.Permit, d time.Duration) {
	p.Pause(d)
	h.keep(d)
	h.paused(d)
}
