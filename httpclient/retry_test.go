package httpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func retries(n int) func(*httpclient.Config) {
	return func(c *httpclient.Config) {
		c.Retry.Attempts = n
		c.Breaker.Disabled = true
	}
}

// failing is a Base that answers with code until it has been asked n times.
func failing(code, n int, calls *atomic.Int64) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			io.Copy(io.Discard, req.Body)
			req.Body.Close()
		}
		if calls.Add(1) <= int64(n) {
			return response(req, code), nil
		}
		return response(req, 200), nil
	}
}

func TestNothingIsRetriedUnlessAsked(t *testing.T) {
	var calls atomic.Int64
	tr := transport(t, 1, failing(503, 5, &calls))
	if code, err := do(tr, get(t.Context())); code != 503 || err != nil || calls.Load() != 1 {
		t.Errorf("%d, %v after %d calls", code, err, calls.Load())
	}
}

// POST retried on 500 orders twice.
func TestPostIsNotRetriedOn500(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, test := range map[string]struct {
		method, header string
		code           int
		err            error
		body           io.Reader
		want           int64
	}{
		"GET 500":                              {"GET", "", 500, nil, nil, 3},
		"GET 503":                              {"GET", "", 503, nil, nil, 3},
		"GET 404":                              {"GET", "", 404, nil, nil, 1},
		"GET 501":                              {"GET", "", 501, nil, nil, 1},
		"DELETE 502":                           {"DELETE", "", 502, nil, nil, 3},
		"PUT with a body to get anew":          {"PUT", "", 502, nil, strings.NewReader("x"), 3},
		"PUT with a body to be read once":      {"PUT", "", 502, nil, io.MultiReader(strings.NewReader("x")), 1},
		"POST 500":                             {"POST", "", 500, nil, nil, 1},
		"POST 503":                             {"POST", "", 503, nil, strings.NewReader("x"), 1},
		"POST 425":                             {"POST", "", 425, nil, strings.NewReader("x"), 3},
		"POST with Idempotency-Key":            {"POST", "Idempotency-Key", 500, nil, strings.NewReader("x"), 3},
		"POST with X-Idempotency-Key":          {"POST", "X-Idempotency-Key", 500, nil, nil, 3},
		"POST that was never sent":             {"POST", "", 0, refused, strings.NewReader("x"), 3},
		"POST whose connection broke":          {"POST", "", 0, io.ErrUnexpectedEOF, strings.NewReader("x"), 1},
		"POST whose answer broke off":          {"POST", "", 0, &net.OpError{Op: "read", Err: errors.New("connection reset")}, strings.NewReader("x"), 1},
		"POST that broke off":                  {"POST", "", 0, &net.OpError{Op: "write", Err: errors.New("broken pipe")}, nil, 1},
		"GET whose connection broke":           {"GET", "", 0, io.ErrUnexpectedEOF, nil, 3},
		"GET of a name that does not exist":    {"GET", "", 0, &net.DNSError{IsNotFound: true}, nil, 1},
		"GET that net/http finds invalid":      {"GET", "", 0, errors.New("net/http: invalid header field name"), nil, 1},
		"GET that was rejected further inside": {"GET", "", 0, &limiter.RejectedError{}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
					defer closeBody(req)
					calls.Add(1)
					if test.err != nil {
						return nil, test.err
					}
					if req.Body != nil {
						if b, _ := io.ReadAll(req.Body); string(b) != "x" {
							t.Errorf("the body is %q", b)
						}
					}
					return response(req, test.code), nil
				}), retries(3))
				req := must(http.NewRequestWithContext(t.Context(), test.method, target, test.body))
				if test.header != "" {
					req.Header.Set(test.header, "k")
				}
				code, err := do(tr, req)
				if code != test.code || !errors.Is(err, test.err) || calls.Load() != test.want {
					t.Errorf("%d, %v after %d calls, want %d", code, err, calls.Load(), test.want)
				}
				if h := only(t, tr); h.Limiter.InFlight != 0 || int64(h.Retries) != test.want-1 {
					t.Errorf("%+v", h)
				}
			})
		})
	}
}

// GetBody ignored means that an empty body is sent the second time.
func TestRetriesTakeBodiesFromGetBodyAndCloseThemAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		tr := transport(t, 1, failing(503, 2, &calls), retries(5))
		var bodies []*watched
		body := func() (io.ReadCloser, error) {
			w := &watched{Reader: strings.NewReader("payload")}
			bodies = append(bodies, w)
			return w, nil
		}
		req := must(http.NewRequestWithContext(t.Context(), "PUT", target, nil))
		req.Body, _ = body()
		req.GetBody = body
		first := req.Body
		resp := must(tr.RoundTrip(req))
		if resp.StatusCode != 200 || resp.Request != req || req.Body != first {
			t.Errorf("%d, request %p want %p", resp.StatusCode, resp.Request, req)
		}
		resp.Body.Close()
		if len(bodies) != 3 {
			t.Errorf("%d bodies, want 3", len(bodies))
		}
		for i, b := range bodies {
			if !b.closed.Load() {
				t.Errorf("body %d was not closed", i)
			}
		}
	})
}

// Retried bodies never closed: 60 of 60 with a peer.
func TestRetriedBodiesAreClosedAndTheirConnectionsUsedAgain(t *testing.T) {
	var conns, calls atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		w.Write(bytes.Repeat([]byte("x"), 8<<10))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	client, tr := around(t, s, httpclient.Config{
		Limiter: fixed(1), Breaker: httpclient.Breaker{Disabled: true},
		Retry: httpclient.Retry{Attempts: 3, MinBackoff: 1, MaxBackoff: 1, Budget: 1},
	})
	for range 4 {
		resp, err := client.Get(s.URL)
		drain(t, resp, err)
		if resp.StatusCode != 200 {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if h := only(t, tr); conns.Load() != 1 || h.Retries != 8 || h.Limiter.InFlight != 0 {
		t.Errorf("%d connections, %d retries, %d in flight; want 1, 8, 0", conns.Load(), h.Retries, h.Limiter.InFlight)
	}
}

func TestRetryBudgetHoldsInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		tr := transport(t, 100, failing(503, 1<<30, &calls), retries(4))
		const requests = 100
		for range requests {
			do(tr, get(t.Context()))
		}
		if extra := calls.Load() - requests; extra > requests/5 {
			t.Errorf("%d retries of %d requests, want at most 20 %%", extra, requests)
		}
		if h := only(t, tr); h.Retries != 10 || h.RetriesDenied == 0 {
			t.Errorf("%d retries, %d denied", h.Retries, h.RetriesDenied)
		}
	})
}

func TestNoPlaceIsHeldWhileARetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		tr := transport(t, 1, failing(500, 1, &calls), retries(2), func(c *httpclient.Config) {
			c.Retry.MinBackoff, c.Retry.MaxBackoff = time.Hour, time.Hour
		})
		go do(tr, get(t.Context()))
		synctest.Wait()
		wantInFlight(t, tr, 0)
		start := time.Now()
		if code, err := do(tr, get(t.Context())); code != 200 || err != nil || time.Since(start) != 0 {
			t.Errorf("another request: %d, %v after %v", code, err, time.Since(start))
		}
	})
}

// Retry-After uncapped, and longer than the deadline.
func TestRetryAfterIsObeyedUnlessThereIsNoTimeForIt(t *testing.T) {
	for name, test := range map[string]struct {
		after    string
		deadline time.Duration
		calls    int64
	}{
		"obeyed":              {"7", time.Hour, 2},
		"beyond the deadline": {"7", 5 * time.Second, 1},
		"beyond our patience": {"3600", 10 * time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
					resp := response(req, 200)
					if calls.Add(1) == 1 {
						resp = response(req, 503)
						resp.Header.Set("Retry-After", test.after)
					}
					return resp, nil
				}), retries(2))
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				start := time.Now()
				code, err := do(tr, get(ctx))
				took := time.Since(start)
				switch {
				case err != nil || calls.Load() != test.calls:
					t.Errorf("%d, %v after %d calls, want %d", code, err, calls.Load(), test.calls)
				case test.calls == 1 && (code != 503 || took != 0):
					t.Errorf("%d after %v, want the 503 at once", code, took)
				case test.calls == 2 && (code != 200 || took < 7*time.Second || took > 8*time.Second):
					t.Errorf("%d after %v, want 200 after 7 s and a little", code, took)
				}
			})
		})
	}
}

func TestRetryWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		tr := transport(t, 1, failing(500, 1, &calls), retries(2), func(c *httpclient.Config) {
			c.Retry.MinBackoff, c.Retry.MaxBackoff = 24*time.Hour, 24*time.Hour
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		byChannel, closed := get(t.Context()), make(chan struct{})
		byChannel.Cancel = closed
		time.AfterFunc(2*time.Second, func() { close(closed) })
		for _, req := range []*http.Request{get(ctx), byChannel} {
			calls.Store(0)
			start := time.Now()
			if _, err := do(tr, req); !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		}
	})
}

// What is refused by our own breaker is not tried again: it would be a spin.
func TestOwnRefusalsAreNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		tr := transport(t, 1, failing(500, 1<<30, &calls), retries(5), breaker(httpclient.Breaker{MinRequests: 1}))
		if code, err := do(tr, get(t.Context())); code != 500 || err != nil {
			t.Errorf("%d, %v: want the answer that opened the breaker", code, err)
		}
		if _, err := do(tr, get(t.Context())); !errors.Is(err, httpclient.ErrBreakerOpen) || calls.Load() != 1 {
			t.Errorf("%v after %d calls", err, calls.Load())
		}
	})
}
