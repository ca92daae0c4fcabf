package httpclient

import (
	"net/http"
	"time"

	"go.uber.org/zap"
)

// maxIdlePerHost is Config.MaxIdlePerHost's default: a little above the
// greatest limit that limiter.Adaptive takes by itself.
const maxIdlePerHost = 1024

// New returns an *http.Client whose Transport is a [*Transport]. If c has no
// Base it makes one that suits many requests at once. http.DefaultTransport
// keeps two idle connections per host, so that of 16 callers 14 dial a new one
// for nearly every request, and use up the machine's ports in the end; and it
// does not notice when an HTTP/2 connection has died without a word.
//
// The client has no Timeout: that would hide the errors of this package. Set
// Config.AttemptTimeout for the host and Config.Timeout, or a context with a
// deadline, for the caller. The error is a [*ConfigError].
func New(c Config) (*http.Client, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if d, ok := http.DefaultTransport.(*http.Transport); ok && c.Base == nil {
		c.Base, c.MaxIdlePerHost = tuned(d, c.MaxIdlePerHost), 0
	}
	t, err := NewTransport(c)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t}, nil
}

// tuned returns a copy of base that keeps perHost idle connections per host.
// That many are idle only after that many were in use, and net/http closes
// them when they have been idle for 90 seconds.
func tuned(base *http.Transport, perHost int) *http.Transport {
	setDefault(&perHost, maxIdlePerHost)
	t := base.Clone()
	t.MaxIdleConnsPerHost = perHost
	if t.MaxIdleConns != 0 { // 0 is no bound
		t.MaxIdleConns = max(t.MaxIdleConns, perHost, maxIdlePerHost)
	}
	if t.HTTP2 == nil {
		t.HTTP2 = new(http.HTTP2Config)
	}
	// All requests to a host share one connection. If that dies in silence they
	// would all wait for a quarter of an hour, until the kernel gives it up.
	setDefault(&t.HTTP2.SendPingTimeout, 15*time.Second) // of silence
	setDefault(&t.HTTP2.PingTimeout, 15*time.Second)
	setDefault(&t.HTTP2.WriteByteTimeout, 30*time.Second)
	return t
}

// greet says once, when the first host with such a limit is met, that the Base
// cannot serve it well. It is not called with the table of hosts locked, as
// newHost is.
func (t *Transport) greet(h *host) {
	if !h.greeted.CompareAndSwap(false, true) {
		return
	}
	base := asTransport(t.base())
	if base == nil {
		return
	}
	limit := h.limiter.Stats().Limit
	idle := base.MaxIdleConnsPerHost
	setDefault(&idle, http.DefaultMaxIdleConnsPerHost)
	if n := base.MaxIdleConns; n > 0 {
		idle = min(idle, n)
	}
	if base.DisableKeepAlives {
		idle = 0
	}
	conns := base.MaxConnsPerHost
	if conns == 0 {
		conns = limit
	}
	if (idle < limit || conns < limit) && t.warned.CompareAndSwap(false, true) {
		t.log.Warn("the base transport cannot serve the limit over HTTP/1: it dials anew, or makes requests wait where nobody sees it; "+
			"raise MaxIdleConnsPerHost and MaxConnsPerHost, or let httpclient.New make the Base",
			zap.String("host", h.name), zap.Int("limit", limit),
			zap.Int("max_idle_conns_per_host", idle), zap.Int("max_conns_per_host", base.MaxConnsPerHost))
	}
}
