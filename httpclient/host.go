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
// behind that address may have. A name that is not in ASCII stays as it is: whoever
// spells one host in two ways has two hosts.
func keyOf(u *url.URL) key {
	name, port := splitPort(u.Host)
	if port == "" {
		port = portOf(u.Scheme)
	}
	return key{normal(name), port}
}

// portOf returns the port of a scheme, or the scheme itself if it is one of a
// protocol registered with http.Transport.
func portOf(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	if lower := strings.ToLower(scheme); lower != scheme {
		return portOf(lower)
	}
	return scheme
}

// splitPort splits a host as it is in a URL; port is empty if there is none.
func splitPort(host string) (name, port string) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		return host[:i], host[i+1:]
	}
	return host, ""
}

// normal is the name in lower case and without the dot that may end it.
func normal(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

func (k key) String() string { return k.name + ":" + k.port }

// A host is what a Transport keeps about one host.
type host struct {
	name              string
	limiter           *limiter.Limiter
	global            *limiter.Limiter // of all hosts; may be nil
	maxWait, maxPause time.Duration
	noPacing          bool
	breaker           *breaker // nil if disabled
	timeout           *timeoutError
	log               hostLog
	pacer             atomic.Pointer[pacer] // nil until the server gives cause for one
	budget            budget                // of retries

	bodies    atomic.Int64 // that hold a place, or are forgotten
	keepUntil moment

	retries, retriesDenied, bypassed, overheld, atHead atomic.Uint64

	greeted, leaked atomic.Bool // what is said once has been said

	mu      sync.Mutex // guards waiting; leaf
	waiting map[*waiting]context.CancelCauseFunc
}

// newHost is called with the table of hosts locked. The key that it returns is made
// of the host's own name, since k is a part of some request's URL, which may be long.
func (t *Transport) newHost(k key) (key, *host) {
	c := t.configOf(k)
	name := k.String()
	k = key{name[:len(k.name)], name[len(k.name)+1:]}
	h := &host{name: name, global: c.Global, maxWait: c.MaxWait, maxPause: c.MaxRetryAfter, noPacing: c.NoPacing}
	h.log.to = t.log
	if !c.Breaker.Disabled {
		h.breaker = newBreaker(c.Breaker)
	}
	if c.AttemptTimeout > 0 {
		h.timeout = &timeoutError{kind: ErrAttemptTimeout, after: c.AttemptTimeout}
	}
	h.limiter = t.newLimiter(h, c)
	return k, h
}

func (t *Transport) newLimiter(h *host, c Config) *limiter.Limiter {
	if c.Limiter != nil {
		if l := c.Limiter(h.name); l != nil {
			return l
		}
		return new(limiter.Limiter)
	}
	policy := limiter.Adaptive(limiter.AdaptiveConfig{})
	if c.Policy != nil {
		policy = c.Policy(h.name)
	}
	if policy == nil {
		return new(limiter.Limiter)
	}
	options := []limiter.Option{limiter.MaxQueue(maxQueue), limiter.MaxPause(c.MaxRetryAfter)}
	if c.Logger.Core() != nopCore { // being observed has a price
		options = append(options, limiter.Observe(h.observe))
	}
	return limiter.New(policy, options...)
}

// busy reports whether forgetting h would forget something that matters: calls
// in flight, which a new Limiter would not count, an open breaker, or a pause.
// Requests that wait have pinned h anyway.
func (h *host) busy() bool {
	if h.keepUntil.get().After(time.Now()) {
		return true
	}
	// Both must say so. A Limiter may be shared with busier hosts; a body may
	// have been forgotten, which only the Limiter finds out.
	return h.bodies.Load() > 0 && h.limiter.Stats().InFlight > 0
}

// keep sees to it that h is not forgotten for the time d.
func (h *host) keep(d time.Duration) { h.keepTo(time.Now().Add(d)) }

func (h *host) keepTo(until time.Time) {
	for {
		old := h.keepUntil.at.Load()
		if old != nil && !old.Before(until) || h.keepUntil.at.CompareAndSwap(old, &until) {
			return
		}
	}
}

// A moment is a time that is safe for concurrent use. It keeps the monotonic
// reading: a wall clock that is set back must not keep a breaker open for hours.
// The zero moment is the zero time.
type moment struct{ at atomic.Pointer[time.Time] }

func (m *moment) set(t time.Time) { m.at.Store(&t) }

func (m *moment) get() time.Time {
	if t := m.at.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// pause holds back the requests to h because the server has asked for it.
func (h *host) pause(p limiter.Permit, d time.Duration) {
	p.Pause(d)
	h.keep(d)
	h.paused(d)
}
