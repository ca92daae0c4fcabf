package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// saysOfQuota answers with a quota of which every call takes one.
func saysOfQuota(limit int, left *int, reset func() string) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		resp := response(req, 200)
		*left--
		resp.Header.Set("X-RateLimit-Limit", strconv.Itoa(limit))
		resp.Header.Set("X-RateLimit-Remaining", strconv.Itoa(*left))
		resp.Header.Set("X-RateLimit-Reset", reset())
		return resp, nil
	}
}

// The answer to a call that bypasses the limits says of the quota what any answer
// says. It must not be taken for the first of all.
func TestBypassStopsTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quota = 5000
		left := quota
		tr := transport(t, 10, saysOfQuota(quota, &left, func() string { return "3600" }))
		for range 2 {
			time.Sleep(time.Hour)
			left = quota
			for range 2000 {
				do(tr, get(t.Context()))
			}
		}
		do(tr, get(httpclient.WithBypass(t.Context())))
		start := time.Now()
		do(tr, get(t.Context()))
		do(tr, get(t.Context()))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("with 3000 calls left for an hour, two took %v", took)
		}
	})
}

// A quota of one route, which no other route speaks of, is not the host's.
func TestQuotaOfOneRouteThrottlesTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 10, roundTripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Millisecond)
			resp := response(req, 200)
			if req.URL.Path == "/login" {
				resp.Header.Set("RateLimit-Limit", "5")
				resp.Header.Set("RateLimit-Remaining", "4")
				resp.Header.Set("RateLimit-Reset", "60")
			}
			return resp, nil
		}))
		login := get(t.Context())
		login.URL.Path = "/login"
		do(tr, login)
		for range 10 { // while it learns
			do(tr, get(t.Context()))
		}
		start := time.Now()
		for range 100 {
			do(tr, get(t.Context()))
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("a hundred calls of another route took %v", took)
		}
	})
}

// Some servers say when a quota is renewed in milliseconds since 1970.
func TestResetInMillisecondsIsTakenForAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 46
		tr := transport(t, 10, saysOfQuota(100, &left, func() string {
			return strconv.FormatInt(time.Now().Add(time.Second).UnixMilli(), 10)
		}))
		start := time.Now()
		for range 4 {
			do(tr, get(t.Context()))
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("four calls took %v", took)
		}
	})
}

func TestPanicInRetryIfLeaksThePlaceAndTheBody(t *testing.T) {
	tr := transport(t, 1, answering(503), func(c *httpclient.Config) {
		c.Retry.Attempts = 2
		c.Retry.If = func(*http.Response, error) bool { panic("on purpose") }
	})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = tr.RoundTrip(get(t.Context()))
	}()
	if n := only(t, tr).Limiter.InFlight; n != 0 {
		t.Errorf("%d in flight", n)
	}
}

// An errgroup ends the contexts of all its calls with the error of the first that
// fails, and that may be the error of another host's breaker.
func TestAnotherHostsBreakerInTheCauseIsTakenForOurOwn(t *testing.T) {
	for name, disabled := range map[string]bool{"with a breaker": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := transport(t, 1, answering(200), func(c *httpclient.Config) {
					c.Breaker.Disabled, c.MaxWait = disabled, time.Hour
				})
				defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(&httpclient.BreakerError{Host: "other.example:80"}) })
				_, err := tr.RoundTrip(get(ctx))
				var rejected *limiter.RejectedError
				if !errors.As(err, &rejected) || rejected.Reason != limiter.GaveUp {
					t.Errorf("error %v", err)
				}
				if s := only(t, tr); s.Breaker.Refused != 0 || s.Limiter.Rejected.GaveUp != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// gobreaker calls itself half-open when OpenFor is over; nobody is let through
// before a random part of it has been added.
func TestStatsCallABreakerHalfOpenThatLetsNobodyThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(500), breaker(httpclient.Breaker{MinRequests: 1, OpenFor: time.Hour}))
		do(tr, get(t.Context()))
		time.Sleep(time.Hour + 1)
		if state := only(t, tr).Breaker.State; state != gobreaker.StateOpen {
			t.Errorf("%v before the random part is over", state) // which being asked must not cut short
		}
		for range 20 {
			state := only(t, tr).Breaker.State
			_, err := do(tr, get(t.Context()))
			if refused := errors.Is(err, httpclient.ErrBreakerOpen); refused != (state == gobreaker.StateOpen) {
				t.Fatalf("it is %v and the request ended with %v", state, err)
			}
			time.Sleep(time.Minute)
		}
	})
}

// A Base that panics when it is asked for what it wraps, and a body that panics
// when it is drained for a retry.
func TestPanicBeforeTheRequestIsSentLeavesItsBodyOpen(t *testing.T) {
	panics := func(tr *httpclient.Transport, req *http.Request) {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = tr.RoundTrip(req)
	}
	req, body := post(t.Context())
	panics(transport(t, 1, unwrapping{answering(200)}), req)
	if !body.closed.Load() {
		t.Error("after a Base that panics in Unwrap")
	}

	req, _ = post(t.Context())
	again := new(watched)
	req.Header.Set("Idempotency-Key", "1")
	req.GetBody = func() (io.ReadCloser, error) { return again, nil }
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		closeBody(req)
		resp := response(req, 503)
		resp.Body = io.NopCloser(panicking{})
		return resp, nil
	}), func(c *httpclient.Config) { c.Retry.Attempts = 2 })
	panics(tr, req)
	if !again.closed.Load() {
		t.Error("after a response body that panics")
	}
	wantInFlight(t, tr, 0)
}

type unwrapping struct{ http.RoundTripper }

func (unwrapping) Unwrap() http.RoundTripper { panic("on purpose") }

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("on purpose") }

// MaxHold is for places that are still held.
func TestPlaceThatTheContextGaveBackCountsAsOverheld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.MaxHold = time.Minute })
		ctx, cancel := context.WithCancel(t.Context())
		resp := must(tr.RoundTrip(get(ctx)))
		cancel()
		time.Sleep(time.Hour)
		if s := only(t, tr); s.Overheld != 0 || s.Limiter.InFlight != 0 {
			t.Errorf("%d overheld, %d in flight", s.Overheld, s.Limiter.InFlight)
		}
		resp.Body.Close()
	})
}

// The bodies are never closed, but their contexts end; another host keeps the
// Limiter that they share busy.
func TestHostsOfForgottenBodiesAreKeptForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := limiter.New(limiter.Fixed(2))
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) {
			c.Limiter, c.MaxHosts = func(string) *limiter.Limiter { return shared }, 10
		})
		defer must(tr.RoundTrip(to(t, "held.example"))).Body.Close()
		for i := range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			must(tr.RoundTrip(to(t, fmt.Sprintf("host%d.example", i)).WithContext(ctx)))
			cancel()
			synctest.Wait()
		}
		if n := len(tr.Stats().Hosts); n > 11 {
			t.Errorf("%d hosts are remembered, want 10 and the one in use", n)
		}
	})
}

func TestPauseThatIsCutShortCountsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			resp := response(req, 503)
			resp.Header.Set("Retry-After", "30")
			return resp, nil
		}), func(c *httpclient.Config) { c.Retry.Attempts = 2 })
		var info httpclient.Info
		ctx, cancel := context.WithCancel(httpclient.WithInfo(t.Context(), &info))
		time.AfterFunc(time.Second, cancel)
		if _, err := tr.RoundTrip(get(ctx)); !errors.Is(err, context.Canceled) || info.Backoff != time.Second {
			t.Errorf("%v, backoff %v", err, info.Backoff)
		}
	})
}

func TestOneHostHasTwoConfigurations(t *testing.T) {
	_, err := httpclient.NewTransport(httpclient.Config{Base: answering(200), Hosts: map[string]httpclient.HostConfig{
		"example.com": {Limiter: fixed(1)}, "EXAMPLE.com.": {Limiter: fixed(2)},
	}})
	if err == nil {
		t.Error("accepted, and one of them wins by chance")
	}
}

func TestEventStreamIsOverheldThoughItHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.Timeout, c.MaxHold = time.Hour, time.Second })
		resp, err := tr.RoundTrip(get(httpclient.WithReleaseAtHead(context.Background())))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if s := only(t, tr); s.Overheld != 0 || s.AtHead != 1 {
			t.Errorf("%d overheld, %d released at the head", s.Overheld, s.AtHead)
		}
		resp.Body.Close()
	})
}
