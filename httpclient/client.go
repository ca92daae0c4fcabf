package httpclient

import "net/http"

// maxIdlePerHost is Config.MaxIdlePerHost's default: a little above the
// greatest limit that limiter.Adaptive takes by itself.
const maxIdlePerHost = 1024

// New returns an *http.Client whose Transport is a [*Transport]. If c has no
// Base it makes one that suits many requests at once: http.DefaultTransport
// keeps two idle connections per host, so that of 16 callers 14 dial a new one
// for nearly every request, and use up the machine's ports in the end.
//
// The client has no Timeout: that would count the time in the queue. Set
// Config.AttemptTimeout for the host and give requests a context with a
// deadline for the caller. The error is a [*ConfigError].
func New(c Config) (*http.Client, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if d, ok := http.DefaultTransport.(*http.Transport); ok && c.Base == nil {
		c.Base, c.MaxIdlePerHost = roomy(d, c.MaxIdlePerHost), 0
	}
	t, err := NewTransport(c)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t}, nil
}

// roomy returns a copy of base that keeps perHost idle connections per host.
// That many are idle only after that many were in use, and net/http closes
// them when they have been idle for 90 seconds.
func roomy(base *http.Transport, perHost int) *http.Transport {
	setDefault(&perHost, maxIdlePerHost)
	t := base.Clone()
	t.MaxIdleConnsPerHost = perHost
	if t.MaxIdleConns != 0 { // 0 is no bound
		t.MaxIdleConns = max(t.MaxIdleConns, perHost, maxIdlePerHost)
	}
	return t
}
