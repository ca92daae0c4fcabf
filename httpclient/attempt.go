package httpclient

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidegate-go/tidegate/internal/perkey"
	"github.com/tidegate-go/tidegate/limiter"
)

// An attempt is one request on its way. Whatever it has taken, end gives back,
// unless it has been given back or handed to the response body before.
type attempt struct {
	t       *Transport
	req     *http.Request
	entry   *perkey.Entry[key, *host]
	permit  limiter.Permit
	ticket  ticket         // the breaker's
	expiry  *expiry        // nil without an AttemptTimeout
	started time.Time      // when Base got it; zero if nobody needs to know
	answer  *http.Response // the Base's, as long as nobody else is to close it
	sent    bool           // Base has the request, and its body to close
	handed  bool           // the place belongs to the response body
}

// admit gets what the request needs to be sent. The order is that of the
// package comment.
func (a *attempt) admit() error {
	ctx := a.req.Context()
	if ctx.Err() != nil {
		return context.Cause(ctx) // as net/http does
	}
	a.entry = a.t.hosts.Pin(keyOf(a.req.URL))
	h := a.entry.Value
	err := h.check()
	if err == nil {
		a.permit, err = h.acquire(a.req)
	}
	if err == nil {
		// Again, since it may have opened meanwhile; and only now, since a
		// probe that waits in a queue keeps all others from probing.
		a.ticket, err = h.admit()
	}
	if err != nil {
		h.rejected(err)
	}
	return err
}

// send has the Base answer the request and tells everybody how it went.
func (a *attempt) send() (*http.Response, error) {
	h, req := a.entry.Value, a.req
	ctx := req.Context()
	if d := a.t.config.AttemptTimeout; d > 0 {
		a.expiry = newExpiry(ctx, a.t.expiry)
		ctx = a.expiry.ctx
		// Header, Trailer and Body are shared, so trailers that the caller
		// fills in while the body is read still arrive. Clone would copy them.
		req = req.WithContext(ctx)
	}
	if h.breaker != nil && a.callerMayEnd() {
		a.started = time.Now()
	}

	a.sent = true
	resp, err := a.t.base().RoundTrip(req)
	a.answer = resp
	if err != nil {
		err = a.expiry.explain(err)
		a.report(nil, err)
		return nil, err // end closes a response that came with it
	}
	if resp == nil {
		return nil, nil // http.Client has an error of its own for this
	}
	if resp.Request == req {
		resp.Request = a.req
	}
	a.report(resp, nil)
	if bodyless(resp, a.req) {
		a.permit.Release()
		if a.expiry == nil || !readable(resp) {
			a.answer = nil
			return resp, nil
		}
		// The end of an empty HTTP/2 stream may be yet to come, and reading up
		// to it fails if the attempt's context is cancelled before.
	}
	resp = a.hold(ctx, resp)
	a.answer, a.handed = nil, true
	return resp, nil
}

// report tells the limiter and the breaker what the answer says of the host.
func (a *attempt) report(resp *http.Response, err error) {
	h := a.entry.Value
	var ended error
	if err != nil {
		ended = a.ended()
	}
	seen := err
	if ended != nil && !errors.Is(err, ErrAttemptTimeout) {
		seen = endedError{err, ended}
	}
	o := a.t.config.Classify(resp, seen)

	if o == limiter.Refused && resp != nil {
		if d := retryAfter(resp.Header, time.Now(), a.t.config.MaxRetryAfter); d > 0 {
			// Before the report, which may let the next request start.
			h.pause(a.permit, d)
		}
	}
	a.permit.Report(o)

	v := verdictOf(o, resp)
	if v == errFailure && ended != nil && seen != err && time.Since(a.started) < a.t.config.Breaker.Patience {
		v = errExcluded
	}
	a.ticket.report(v)
}

// callerMayEnd reports whether the caller's context can end the attempt.
func (a *attempt) callerMayEnd() bool {
	return cancelOf(a.req) != nil || a.req.Context().Done() != nil
}

// ended says whether the caller has ended the request: by cancelling it or by
// a deadline that has passed. Nil means neither.
func (a *attempt) ended() error {
	ctx := a.req.Context()
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-cancelOf(a.req):
		// This is how http.Client.Timeout tells a transport that it does not
		// know, and it comes together with a deadline.
		if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
			return context.DeadlineExceeded
		}
		return context.Canceled
	default:
		return nil
	}
}

// An endedError is what Classify sees of the error of a request that its caller
// has ended, since net/http may return any cause in place of the context's
// error.
type endedError struct{ err, ended error }

func (e endedError) Error() string   { return e.err.Error() }
func (e endedError) Unwrap() []error { return []error{e.ended, e.err} }

// end gives back what the attempt still has. What has been told already, or is
// the response body's by now, stays as it is.
func (a *attempt) end() {
	if !a.handed {
		a.ticket.report(errExcluded) // unless it has been reported
		if a.expiry != nil {
			a.expiry.cancel()
		}
		a.permit.Release()
	}
	if a.entry != nil {
		a.entry.Unpin()
	}
	// What follows is the code of others, so it comes last.
	if a.answer != nil && a.answer.Body != nil {
		a.answer.Body.Close()
	}
	if !a.sent {
		closeBody(a.req)
	}
}

// closeBody closes the body of a request that is not sent.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
