package httpclient

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// An attempt is one request on its way. Whatever it has taken, end gives back,
// unless it has been given back or handed to the response body before.
type attempt struct {
	t        *Transport
	host     *host
	wishes   wishes
	original *http.Request // the caller's
	req      *http.Request // this attempt's, before it gets the context of an AttemptTimeout
	total    bool          // there is a Timeout
	places   places
	ticket   ticket         // the breaker's
	expiry   *expiry        // nil without an AttemptTimeout
	started  time.Time      // when Base got it; zero if nobody needs to know
	answer   *http.Response // the Base's, as long as nobody else is to close it
	sent     bool           // Base has the request, and its body to close
	handed   bool           // the places belong to the response body
}

// admit gets what the request needs to be sent. The order is that of the
// package comment.
func (a *attempt) admit() error {
	ctx, h := a.req.Context(), a.host
	if ctx.Err() != nil {
		return context.Cause(ctx) // as net/http does
	}
	err := h.check()
	if err == nil {
		if a.wishes.bypass {
			h.bypassed.Add(1)
			// Not counted among the starts, but what its answer says of a quota
			// is news all the same: only what starts from now on is not in it.
			if pc := h.pacer.Load(); pc != nil {
				a.places.paceSeq = pc.policy.started.Load()
			}
		} else {
			err = a.enter()
		}
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
	h, req := a.host, a.req
	ctx := req.Context()
	if h.timeout != nil {
		a.expiry = newExpiry(ctx, h.timeout)
		ctx = a.expiry
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
		resp.Request = a.original
	}
	a.report(resp, nil)
	timed := a.expiry != nil || a.total
	switch {
	case bodyless(resp, a.req):
		a.places.forgo()
		if !timed || !readable(resp) {
			a.answer = nil
			return resp, nil
		}
		// The end of an empty HTTP/2 stream may be yet to come, and reading up
		// to it fails if the attempt's context is cancelled before.
	case a.atHead(resp):
		h.atHead.Add(1)
		a.places.forgo()
		if a.expiry != nil {
			a.expiry.disarm()
		}
		if !timed {
			a.answer = nil
			return resp, nil
		}
	}
	resp = a.hold(ctx, resp)
	a.answer, a.handed = nil, true
	return resp, nil
}

func (a *attempt) atHead(resp *http.Response) bool {
	f := a.t.config.ReleaseAtHead
	return a.wishes.atHead || f != nil && f(resp)
}

// report tells the limiter and the breaker what the answer says of the host.
func (a *attempt) report(resp *http.Response, err error) {
	h := a.host
	var end error
	if err != nil {
		end = ended(a.req)
	}
	seen := err
	byCaller := end != nil && !errors.Is(err, ErrAttemptTimeout)
	if byCaller {
		seen = endedError{err, end}
	}
	o := a.t.config.Classify(resp, seen)
	if o == limiter.Success && a.t.config.Retry.Attempts > 1 {
		h.budget.earn(a.t.config.Retry.Budget)
	}
	v := verdictOf(o, resp)
	if o == limiter.Refused && h.settles() {
		v = errExcluded
	}
	if resp != nil {
		// Before the report, which may let the next request start.
		o = h.obey(resp, o, &a.places)
	}
	a.places.report(o)

	if v == errFailure && byCaller && time.Since(a.started) < h.breaker.patience() {
		v = errExcluded
	}
	a.ticket.report(v)
}

// callerMayEnd reports whether the caller's context can end the attempt.
func (a *attempt) callerMayEnd() bool {
	return cancelOf(a.req) != nil || a.req.Context().Done() != nil
}

// ended says whether the caller has ended req: by cancelling it or by a
// deadline that has passed. Nil means neither.
func ended(req *http.Request) error {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-cancelOf(req):
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
		a.expiry.end()
		a.places.release()
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
