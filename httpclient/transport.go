package httpclient

import (
	"net/http"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/tidegate-go/tidegate/internal/perkey"
)

// A Transport is an http.RoundTripper that lets only so many requests be on
// their way to a host as the host's Limiter allows, and none while the host's
// circuit breaker is open. The package comment says what it does in which
// order.
//
// Requests are never changed, errors of the Base are never wrapped, and every
// answer counts as an answer, whatever its status. The place of a request is
// taken until the body of its response has been read to the end or closed or
// the request's context has ended: close the bodies.
//
// A Transport is safe for concurrent use and should be reused. It has no
// goroutine of its own and needs no closing. Its zero value is that of
// [NewTransport] with the zero [Config].
type Transport struct {
	once   sync.Once
	config Config // complete after once
	log    *zap.Logger
	hosts  *perkey.Table[key, *host]
	total  *timeoutError // the cause with which requests end

	breaker   Breaker    // as configured
	overrides []override // Config.Hosts

	warned atomic.Bool // that the Base is too narrow
}

// NewTransport returns a Transport. The error is a [*ConfigError].
func NewTransport(c Config) (*Transport, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.MaxIdlePerHost != 0 {
		return nil, &ConfigError{"MaxIdlePerHost", c.MaxIdlePerHost, "0 for NewTransport and for a Base of your own: set it there"}
	}
	t := &Transport{config: c}
	t.once.Do(t.init)
	return t, nil
}

func (t *Transport) init() {
	t.breaker, t.overrides = t.config.Breaker, overridesOf(t.config.Hosts)
	t.config = t.config.withDefaults()
	t.log = t.config.Logger.Named("httpclient")
	t.hosts = perkey.New(t.config.MaxHosts, t.newHost, (*host).busy)
	t.total = &timeoutError{kind: ErrTimeout, after: t.config.Timeout}
}

// RoundTrip implements http.RoundTripper. It waits until the request is
// admitted, then sends it through the Base.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.once.Do(t.init)
	if req.URL == nil {
		// It goes nowhere, so there is nothing to limit, and the Base has its
		// own words for it.
		defer closeBody(req)
		return t.base().RoundTrip(req)
	}
	c := call{t: t, req: req, unsent: req, wishes: wishesOf(req.Context())}
	defer c.end()
	resp, err := c.run()
	if err != nil {
		awaitClient(err, cancelOf(req))
		return nil, err
	}
	return resp, nil
}

// std is net/http's own DefaultTransport. It stands in when a Transport without
// a Base has itself been made the DefaultTransport.
var std = http.DefaultTransport

func (t *Transport) base() http.RoundTripper {
	if t.config.Base != nil {
		return t.config.Base
	}
	if d := http.DefaultTransport; d != nil && d != http.RoundTripper(t) {
		return d
	}
	return std
}

// Unwrap returns the RoundTripper that requests are sent through.
func (t *Transport) Unwrap() http.RoundTripper {
	t.once.Do(t.init)
	return t.base()
}

// WrappedRoundTripper is Unwrap by the name that Kubernetes' client libraries
// look for.
func (t *Transport) WrappedRoundTripper() http.RoundTripper { return t.Unwrap() }

// CloseIdleConnections closes the idle connections of the Base, if it can.
// http.Client.CloseIdleConnections calls it.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.Unwrap().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
