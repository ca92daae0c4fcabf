package httpclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func TestBaseGetsTheVeryRequest(t *testing.T) {
	var got *http.Request
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		got = req
		return response(req, 200), nil
	}))
	req, _ := post(t.Context())
	before := *req
	resp := must(tr.RoundTrip(req))
	defer resp.Body.Close()
	if got != req {
		t.Error("the base got another request")
	}
	if !reflect.DeepEqual(before, *req) {
		t.Error("the request has been changed")
	}
}

func TestAttemptTimeoutSharesAllButTheContext(t *testing.T) {
	var got *http.Request
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		got = req
		return response(req, 200), nil
	}), func(c *httpclient.Config) { c.AttemptTimeout = time.Hour })
	req, body := post(t.Context())
	req.Trailer = http.Header{"Sum": nil}
	before := *req
	resp := must(tr.RoundTrip(req))
	defer resp.Body.Close()
	if !reflect.DeepEqual(before, *req) {
		t.Error("the caller's request has been changed")
	}
	if _, ok := got.Context().Deadline(); !ok {
		t.Error("the base sees no deadline")
	}
	req.Trailer.Set("Sum", "1") // as callers do while the body is read
	if got.Trailer.Get("Sum") != "1" || got.Body != io.ReadCloser(body) {
		t.Error("the base's request has trailers or a body of its own")
	}
	if resp.Request != req {
		t.Error("the response does not refer to the caller's request")
	}
}

func TestRequestBodyIsClosedWhenBaseIsNotReached(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	unreachable := roundTripper(func(*http.Request) (*http.Response, error) {
		panic("the base was reached")
	})
	tests := map[string]struct {
		config httpclient.Config
		ctx    context.Context
		panics bool
	}{
		"context ended": {ctx: cancelled},
		"queue full": {config: httpclient.Config{Limiter: func(string) *limiter.Limiter {
			l := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
			l.TryAcquire()
			return l
		}}},
		"panic in Limiter": {config: httpclient.Config{Limiter: func(string) *limiter.Limiter { panic("hook") }}, panics: true},
		"panic in a policy": {config: httpclient.Config{Limiter: func(string) *limiter.Limiter {
			return limiter.New(new(bomb))
		}}, panics: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := test.config
			c.Base = unreachable
			if test.ctx == nil {
				test.ctx = t.Context()
			}
			req, body := post(test.ctx)
			defer func() {
				if got := recover() != nil; got != test.panics {
					t.Errorf("panicked: %v, want %v", got, test.panics)
				}
				if !body.closed.Load() {
					t.Error("the request body was not closed")
				}
			}()
			if resp, err := must(httpclient.NewTransport(c)).RoundTrip(req); err == nil || resp != nil {
				t.Errorf("RoundTrip = %v, %v", resp, err)
			}
		})
	}
	t.Run("nil URL", func(t *testing.T) {
		tr := transport(t, 1, roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF }))
		req, body := post(t.Context())
		req.URL = nil
		if _, err := tr.RoundTrip(req); err != io.EOF {
			t.Errorf("error %v, want the base's", err)
		}
		if !body.closed.Load() {
			t.Error("the request body was not closed")
		}
	})
}

// bomb is a policy that panics when it is asked about a call.
type bomb struct{}

func (*bomb) Next(s limiter.State) (int, time.Duration) {
	if s.Queued > 0 {
		panic("policy")
	}
	return 1, 0
}
func (*bomb) Start(limiter.State)                  {}
func (*bomb) Report(limiter.State, limiter.Result) {}

func TestEndedContextReturnsItsCauseAsNetHTTPDoes(t *testing.T) {
	cause := errors.New("my cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := transport(t, 1, answering(200)).RoundTrip(get(ctx)); err != cause {
		t.Errorf("error %v, want the cause itself", err)
	}
}

func TestErrorsOfTheBaseAreNotWrapped(t *testing.T) {
	want := errors.New("base")
	tr := transport(t, 1, roundTripper(func(*http.Request) (*http.Response, error) { return nil, want }),
		func(c *httpclient.Config) { c.AttemptTimeout = time.Hour })
	if _, err := tr.RoundTrip(get(t.Context())); err != want {
		t.Errorf("error %v, want the base's own", err)
	}
	wantInFlight(t, tr, 0)
}

func TestNeverBothResponseAndError(t *testing.T) {
	body := &watched{}
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		resp := response(req, 200)
		resp.Body = body
		return resp, io.ErrClosedPipe
	}))
	resp, err := tr.RoundTrip(get(t.Context()))
	if resp != nil || err != io.ErrClosedPipe {
		t.Errorf("RoundTrip = %v, %v", resp, err)
	}
	if !body.closed.Load() {
		t.Error("the body of the dropped response was not closed")
	}
	wantInFlight(t, tr, 0)
}

func TestNeitherResponseNorErrorIsLeftToTheClient(t *testing.T) {
	tr := transport(t, 1, roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil }))
	if resp, err := tr.RoundTrip(get(t.Context())); resp != nil || err != nil {
		t.Errorf("RoundTrip = %v, %v", resp, err)
	}
	wantInFlight(t, tr, 0)
}

// A panic or runtime.Goexit must lose neither the place nor, if the breaker is
// half-open, the probe.
func TestPanicAndGoexitOfTheBaseLoseNothing(t *testing.T) {
	for name, end := range map[string]func(){
		"panic":  func() { panic("base") },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next := answering(500)
				tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) { return next(req) }),
					breaker(httpclient.Breaker{MinRequests: 1, Probes: 1, OpenFor: time.Second}))
				do(tr, get(t.Context()))
				time.Sleep(2 * time.Second) // half-open now
				next = func(*http.Request) (*http.Response, error) { end(); return nil, nil }
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { recover() }()
					tr.RoundTrip(get(t.Context()))
				}()
				<-done
				wantInFlight(t, tr, 0)
				next = answering(200)
				if code, err := do(tr, get(t.Context())); code != 200 {
					t.Errorf("the probe was lost: %v", err)
				}
			})
		})
	}
}

func TestPanicInClassifyClosesTheResponse(t *testing.T) {
	body := &watched{}
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		resp := response(req, 200)
		resp.Body = body
		return resp, nil
	}), func(c *httpclient.Config) {
		c.Classify = func(*http.Response, error) limiter.Outcome { panic("classify") }
	})
	func() {
		defer func() { recover() }()
		tr.RoundTrip(get(t.Context()))
		t.Error("did not panic")
	}()
	if !body.closed.Load() {
		t.Error("the response body was not closed")
	}
	wantInFlight(t, tr, 0)
}

func TestZeroTransportUsesTheDefaultTransportOfTheMoment(t *testing.T) {
	old := http.DefaultTransport
	defer func() { http.DefaultTransport = old }()
	tr := new(httpclient.Transport)
	http.DefaultTransport = answering(204)
	if code, err := do(tr, get(t.Context())); code != 204 {
		t.Error(code, err)
	}
	// A Transport that has been made the default itself must not call itself.
	http.DefaultTransport = tr
	if tr.Unwrap() != old {
		t.Errorf("Unwrap = %T, want net/http's transport", tr.Unwrap())
	}
}

func TestUnwrapAndCloseIdleConnectionsReachTheBase(t *testing.T) {
	base := &idler{}
	tr := transport(t, 1, base)
	if tr.Unwrap() != base || tr.WrappedRoundTripper() != base {
		t.Error("Unwrap does not return the base")
	}
	(&http.Client{Transport: tr}).CloseIdleConnections()
	if base.closed != 1 {
		t.Error("CloseIdleConnections was not forwarded")
	}
	transport(t, 1, answering(200)).CloseIdleConnections() // has none: must not panic
}

type idler struct {
	http.Transport
	closed int
}

func (i *idler) CloseIdleConnections() { i.closed++ }
