package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func TestAttemptTimeoutDoesNotCountTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, slow(time.Second, 200), func(c *httpclient.Config) { c.AttemptTimeout = 2 * time.Second })
		errs := make(chan error, 10)
		for range cap(errs) {
			go func() { _, err := do(tr, get(t.Context())); errs <- err }()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAttemptTimeoutIsToldFromTheCallersDeadline(t *testing.T) {
	bases := map[string]roundTripper{
		"HTTP/1 returns the cause": slow(time.Hour, 200),
		"HTTP/2 returns the error": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
		"a dialer wraps it": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, fmt.Errorf("dial: %w", req.Context().Err())
		},
	}
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := transport(t, 1, base, func(c *httpclient.Config) { c.AttemptTimeout = 2 * time.Second })
				client := &http.Client{Transport: tr}
				_, err := client.Do(get(t.Context()))
				var u *url.Error
				if !errors.Is(err, httpclient.ErrAttemptTimeout) || !errors.Is(err, context.DeadlineExceeded) ||
					!errors.As(err, &u) || !u.Timeout() {
					t.Errorf("attempt timeout: %v", err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = client.Do(get(ctx))
				if errors.Is(err, httpclient.ErrAttemptTimeout) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("caller's deadline: %v", err)
				}
				o := only(t, tr).Limiter.Outcomes
				if o.Overdue != 2 || o.Sum() != 2 {
					t.Errorf("%+v, want 2 overdue", o)
				}
			})
		})
	}
}

func TestAttemptTimeoutCoversTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			resp := response(req, 200)
			resp.Body = &stream{req.Context()}
			return resp, nil
		}), func(c *httpclient.Config) { c.AttemptTimeout = 2 * time.Second })
		start := time.Now()
		resp := must(tr.RoundTrip(get(t.Context())))
		defer resp.Body.Close()
		_, err := resp.Body.Read(nil)
		if !errors.Is(err, httpclient.ErrAttemptTimeout) || time.Since(start) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		wantInFlight(t, tr, 0)
	})
}

// A stream is a body that never has anything to read.
type stream struct{ ctx context.Context }

func (s *stream) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (s *stream) Close() error             { return nil }

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200))
		defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
		cause := errors.New("cause")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		start := time.Now()
		_, err := (&http.Client{Transport: tr}).Do(get(ctx))
		var u *url.Error
		if !errors.Is(err, limiter.ErrRejected) || !errors.Is(err, cause) || !errors.Is(err, context.DeadlineExceeded) ||
			!errors.As(err, &u) || !u.Timeout() {
			t.Errorf("error %v", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("waited for %v", d)
		}
		if n := only(t, tr).Limiter.Queued; n != 0 {
			t.Errorf("%d still queued", n)
		}
	})
}

// http.Client.Timeout closes Request.Cancel.
func TestWaitEndsWithRequestCancel(t *testing.T) {
	for name, off := range map[string]bool{"with breaker": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := transport(t, 1, answering(200), breaker(httpclient.Breaker{Disabled: off}))
				defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
				cancel := make(chan struct{})
				req, body := post(context.Background())
				//lint:ignore SA1019 http.Client does it
				req.Cancel = cancel
				time.AfterFunc(time.Second, func() { close(cancel) })
				_, err := tr.RoundTrip(req)
				if !errors.Is(err, limiter.ErrRejected) || !errors.Is(err, context.Canceled) || !body.closed.Load() {
					t.Errorf("error %v, body closed: %v", err, body.closed.Load())
				}
			})
		})
	}
}

// A wait that has ended well must not leave a goroutine behind that watches
// Request.Cancel; synctest finds one.
func TestWaitLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, slow(time.Second, 200))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				req := get(t.Context())
				//lint:ignore SA1019 http.Client does it
				req.Cancel = make(chan struct{})
				do(tr, req)
			})
		}
		wg.Wait()
		synctest.Wait()
		if n := httpclient.Waiting(tr); n != 0 {
			t.Errorf("%d waits are remembered", n)
		}
	})
}

// net/http says "request canceled" with an error of no type.
func TestRequestCancelIsTheCallersDoing(t *testing.T) {
	for want, timeout := range map[limiter.Outcome]time.Duration{limiter.Cancelled: time.Hour, limiter.Overdue: time.Second} {
		t.Run(want.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cancel := make(chan struct{})
				tr := transport(t, 1, roundTripper(func(*http.Request) (*http.Response, error) {
					<-cancel
					return nil, errors.New("net/http: request canceled")
				}))
				ctx, stop := context.WithDeadline(t.Context(), time.Now().Add(timeout))
				defer stop()
				req := get(ctx)
				//lint:ignore SA1019 http.Client does it
				req.Cancel = cancel
				time.AfterFunc(time.Second, func() { close(cancel) })
				do(tr, req)
				if o := only(t, tr).Limiter.Outcomes; want == limiter.Cancelled && o.Cancelled != 1 || want == limiter.Overdue && o.Overdue != 1 {
					t.Errorf("%+v", o)
				}
			})
		})
	}
}

func TestClientTimeoutEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200))
		defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
		client := &http.Client{Transport: tr, Timeout: time.Second}
		_, err := client.Do(get(t.Context()))
		var u *url.Error
		if !errors.As(err, &u) || !u.Timeout() {
			t.Errorf("error %v", err)
		}
		synctest.Wait() // no goroutine may be left, which synctest checks
	})
}

func TestPriorityReachesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			order = append(order, req.Method)
			return response(req, 200), nil
		}))
		first := must(tr.RoundTrip(get(t.Context())))
		for i, method := range []string{"LOW", "HIGH"} {
			req := get(limiter.WithPriority(context.Background(), i))
			req.Method = method
			go do(tr, req)
			synctest.Wait()
		}
		first.Body.Close()
		synctest.Wait()
		if fmt.Sprint(order) != "[GET HIGH LOW]" {
			t.Error(order)
		}
	})
}

func TestRetryAfterHoldsBackTheHost(t *testing.T) {
	for _, code := range []int{429, 503, 500, 301} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serving(func(req *http.Request) (*http.Response, error) {
					resp := response(req, code)
					resp.Header.Set("Retry-After", "7")
					return resp, nil
				})
				tr := transport(t, 10, s, breaker(httpclient.Breaker{Disabled: true}))
				do(tr, get(t.Context()))
				s.become(answering(200))
				start := time.Now()
				do(tr, get(t.Context()))
				want := 7 * time.Second
				if code == 500 || code == 301 {
					want = 0
				}
				if d := time.Since(start); d != want {
					t.Errorf("the next request waited for %v, want %v", d, want)
				}
			})
		})
	}
}

func TestRetryAfterOfAYearIsClamped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(func(req *http.Request) (*http.Response, error) {
			resp := response(req, 503)
			resp.Header.Set("Retry-After", "31536000")
			return resp, nil
		})
		tr := transport(t, 10, s, func(c *httpclient.Config) { c.MaxRetryAfter = 3 * time.Second })
		do(tr, get(t.Context()))
		s.become(answering(200))
		start := time.Now()
		do(tr, get(t.Context()))
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("waited for %v, want 3s", d)
		}
	})
}
