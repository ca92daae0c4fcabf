package httpclient

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidegate-go/tidegate/internal/chance"
	"github.com/tidegate-go/tidegate/internal/perkey"
	"github.com/tidegate-go/tidegate/limiter"
)

// A call is one RoundTrip: one attempt, or several with pauses between them.
type call struct {
	t      *Transport
	req    *http.Request             // the caller's
	entry  *perkey.Entry[key, *host] // nil if making the host has panicked
	wishes wishes
	total  *expiry // nil without a Timeout
	sent   int     // attempts

	unsent *http.Request  // whose body nobody else is to close
	judged *http.Response // whose body is to be closed if judging it panics
}

// run makes attempts until one is the last.
func (c *call) run() (*http.Response, error) {
	c.entry = c.t.hosts.Pin(keyOf(c.req.URL))
	if h := c.entry.Value; !h.greeted.Load() {
		c.t.greet(h)
	}
	req := c.req
	if d := c.t.config.Timeout; d > 0 {
		c.total = newTotal(req.Context(), c.t.total)
		// Header, Trailer and Body are shared, so trailers that the caller
		// fills in while the body is read still arrive. Clone would copy them.
		req = req.WithContext(c.total)
	}
	for n := 1; ; n++ {
		c.unsent = nil
		resp, err := c.attempt(req)
		if n >= c.t.config.Retry.Attempts {
			return c.finish(resp, err)
		}
		c.judged = resp
		next, pause := c.again(req, resp, err, n)
		c.judged = nil
		if next == nil {
			return c.finish(resp, err)
		}
		c.unsent = next
		if resp != nil {
			discard(resp)
		}
		if err := c.pause(req, pause); err != nil {
			return c.finish(nil, err)
		}
		req = next
	}
}

// attempt sends req once.
func (c *call) attempt(req *http.Request) (*http.Response, error) {
	// It does not refer to c, or both would have to be allocated.
	a := attempt{t: c.t, host: c.entry.Value, wishes: c.wishes, original: c.req, req: req, total: c.total != nil}
	// Deferred, because Base and the functions of the Config may panic or end
	// the goroutine, and neither the place nor the probe may be lost.
	defer a.end()
	if err := a.admit(); err != nil {
		return nil, err
	}
	c.sent++
	return a.send()
}

// finish hands the Timeout to the body of the response, if it has one that can
// end it.
func (c *call) finish(resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, c.total.explain(err)
	}
	if resp == nil || c.total == nil {
		return resp, nil
	}
	if b, ok := resp.Body.(*body); ok {
		b.more.total, c.total = c.total, nil
	}
	return resp, nil
}

// end gives back what the call still has.
func (c *call) end() {
	c.total.end()
	if c.entry != nil {
		if i := c.wishes.info; i != nil {
			i.Host = c.entry.Value.name
			i.Attempts += c.sent
		}
		c.entry.Unpin()
	}
	// What follows is the code of others, so it comes last.
	if c.unsent != nil {
		closeBody(c.unsent)
	}
	if r := c.judged; r != nil && r.Body != nil {
		r.Body.Close()
	}
}

// again decides whether an attempt that ended with resp or err, the n-th, is to
// be followed by another. Then it returns the request for it and how long to
// pause before.
func (c *call) again(req *http.Request, resp *http.Response, err error, n int) (*http.Request, time.Duration) {
	r, h := &c.t.config.Retry, c.entry.Value
	if !r.worth(resp, err) || !mayRepeat(req, resp, err) || ended(req) != nil {
		return nil, 0
	}
	pause := r.backoff(n)
	if resp != nil {
		asked := retryAfter(resp.Header, time.Now(), longest)
		if asked > c.t.config.MaxRetryAfter {
			return nil, 0 // it will not be ready when we are
		}
		if asked > 0 {
			// Upward, since before that it is in vain.
			pause += asked
		}
	}
	if d, ok := req.Context().Deadline(); ok && pause >= time.Until(d) {
		return nil, 0 // what there is now is better than a timeout later
	}
	if h.check() != nil {
		return nil, 0 // the same: the breaker would refuse it
	}
	next, err := repeatable(req)
	if err != nil {
		return nil, 0
	}
	if !h.budget.take() {
		closeBody(next)
		h.retriesDenied.Add(1)
		return nil, 0
	}
	h.retries.Add(1)
	return next, pause
}

// pause waits for d, or until the caller has had enough. No place is held.
func (c *call) pause(req *http.Request, d time.Duration) error {
	if i := c.wishes.info; i != nil {
		defer func(start time.Time) { i.Backoff += time.Since(start) }(time.Now())
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-req.Context().Done():
		return context.Cause(req.Context())
	case <-cancelOf(req):
		return ended(req)
	}
}

// backoff is the pause after the n-th attempt: full jitter, a random part of a
// bound that doubles (Brooker, "Exponential Backoff And Jitter", AWS 2015).
func (r *Retry) backoff(n int) time.Duration {
	bound := r.MaxBackoff
	if n <= 60 && r.MinBackoff<<(n-1)>>(n-1) == r.MinBackoff {
		bound = min(bound, r.MinBackoff<<(n-1))
	}
	return chance.Below(bound) + 1
}

// worth reports whether another attempt may turn out better.
func (r *Retry) worth(resp *http.Response, err error) bool {
	if errors.Is(err, limiter.ErrRejected) || errors.Is(err, ErrBreakerOpen) {
		// Ours: waiting is what the queue is for, and a loop around it would
		// turn overload into a spin.
		return false
	}
	if r.If != nil {
		return r.If(resp, err)
	}
	return Retryable(resp, err)
}
