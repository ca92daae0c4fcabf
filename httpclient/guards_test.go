package httpclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func TestMaxHoldGivesBackThePlaceOfABodyThatNobodyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) {
			c.MaxHold, c.Logger = time.Minute, zap.New(core)
		})
		resp := must(tr.RoundTrip(get(t.Context())))
		start := time.Now()
		do(tr, get(t.Context()))
		if d := time.Since(start); d != time.Minute {
			t.Errorf("the next request waited for %v", d)
		}
		if b, err := io.ReadAll(resp.Body); string(b) != "body" || err != nil {
			t.Errorf("the body is %q, %v afterwards", b, err)
		}
		synctest.Wait() // the place is given back first, and is counted and logged then
		if h := only(t, tr); h.Overheld != 1 || h.Limiter.InFlight != 0 {
			t.Errorf("%+v", h)
		}
		if n := logs.FilterMessageSnippet("MaxHold").Len(); n != 1 {
			t.Errorf("%d warnings", n)
		}
	})
}

func TestStreamsOfEventsReleaseAtTheHeadIfAsked(t *testing.T) {
	events := with(func(r *http.Response) { r.Header.Set("Content-Type", "text/event-stream; charset=utf-8") })
	for name, test := range map[string]struct {
		base   roundTripper
		config func(*http.Response) bool
		ctx    func(context.Context) context.Context
		want   int
	}{
		"by the Config":     {events, httpclient.EventStream, nil, 0},
		"another type":      {answering(200), httpclient.EventStream, nil, 1},
		"by the context":    {answering(200), nil, httpclient.WithReleaseAtHead, 0},
		"not asked":         {events, nil, nil, 1},
		"with all the rest": {events, httpclient.EventStream, httpclient.WithReleaseAtHead, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, timeout := range []time.Duration{0, time.Second} {
				synctest.Test(t, func(t *testing.T) {
					tr := transport(t, 1, test.base, func(c *httpclient.Config) {
						c.ReleaseAtHead, c.AttemptTimeout = test.config, timeout
					})
					ctx := t.Context()
					if test.ctx != nil {
						ctx = test.ctx(ctx)
					}
					resp := must(tr.RoundTrip(get(ctx)))
					wantInFlight(t, tr, test.want)
					if test.want == 0 { // the attempt timeout must not cut the stream
						time.Sleep(time.Hour)
						if resp.Request.Context().Err() != nil {
							t.Error("the context of the stream has ended")
						}
					}
					resp.Body.Close()
					wantInFlight(t, tr, 0)
				})
			}
		})
	}
}

// A token for a request is fetched while the request holds the only place.
func TestBypassLetsNestedCallsThroughALimitOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr *httpclient.Transport
		tr = transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Header.Get("Token") == "" {
				inner := get(httpclient.WithBypass(req.Context()))
				inner.Header.Set("Token", "is fetched here")
				if code, err := do(tr, inner); code != 200 {
					return nil, err
				}
			}
			return response(req, 200), nil
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if code, err := do(tr, get(ctx)); code != 200 || err != nil {
			t.Errorf("%d, %v", code, err)
		}
		if h := only(t, tr); h.Bypassed != 1 || h.Limiter.Admitted != 1 {
			t.Errorf("%d bypassed, %d admitted", h.Bypassed, h.Limiter.Admitted)
		}
	})
}

func TestThousandForgottenBodiesAreRecoveredCountedAndWarnedOfOnce(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	tr := transport(t, 100, answering(200), func(c *httpclient.Config) { c.Logger = zap.New(core) })
	forget := func() { must(tr.RoundTrip(get(context.Background()))) }
	for i := range 1000 {
		forget()
		if i%100 == 99 {
			for start := time.Now(); only(t, tr).Limiter.InFlight > 0; collect() {
				if time.Since(start) > 20*time.Second {
					t.Fatalf("%+v", only(t, tr).Limiter)
				}
			}
		}
	}
	if n := only(t, tr).Limiter.Leaked; n != 1000 {
		t.Errorf("%d counted as leaked, want 1000", n)
	}
	if n := logs.FilterMessageSnippet("never closed").Len(); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}

func TestInfoTellsWhatBecameOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			n++
			return response(req, map[bool]int{true: 200, false: 503}[n == 3]), nil
		}), func(c *httpclient.Config) {
			c.Retry = httpclient.Retry{Attempts: 2, MinBackoff: time.Second, MaxBackoff: time.Second}
			c.Limiter = nil
			c.Policy = func(string) limiter.Policy { return limiter.Fixed(1) }
		})
		held := must(tr.RoundTrip(get(httpclient.WithInfo(t.Context(), new(httpclient.Info)))))
		time.AfterFunc(3*time.Second, func() { held.Body.Close() })
		var info httpclient.Info
		start := time.Now()
		do(tr, get(httpclient.WithInfo(t.Context(), &info)))
		if info.Host != "example.com:80" || info.Attempts != 1 || info.Limit != 1 || info.Queued != 3*time.Second || info.Queued+info.Backoff != time.Since(start) {
			t.Errorf("%+v after %v", info, time.Since(start))
		}
	})
}

func TestTimeoutBoundsQueueAttemptsAndBody(t *testing.T) {
	client := func(t *testing.T, base http.RoundTripper) (*http.Client, *httpclient.Transport) {
		tr := transport(t, 1, base, func(c *httpclient.Config) {
			c.Timeout = 2 * time.Second
			c.Retry = httpclient.Retry{Attempts: 100, MinBackoff: 300 * time.Millisecond, MaxBackoff: 300 * time.Millisecond, Budget: 1}
			c.Breaker.Disabled = true
		})
		return &http.Client{Transport: tr}, tr
	}
	want := func(t *testing.T, err error, start time.Time, rejected bool) {
		t.Helper()
		var u *url.Error
		if !errors.Is(err, httpclient.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, limiter.ErrRejected) != rejected ||
			errors.As(err, &u) && !u.Timeout() || time.Since(start) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	}
	t.Run("queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			full := limiter.New(limiter.Fixed(1))
			full.TryAcquire()
			c := &http.Client{Transport: transport(t, 1, answering(200), func(c *httpclient.Config) {
				c.Timeout, c.Limiter = 2*time.Second, func(string) *limiter.Limiter { return full }
			})}
			start := time.Now()
			_, err := c.Do(get(t.Context()))
			want(t, err, start, true)
		})
	})
	t.Run("base", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, tr := client(t, slow(time.Hour, 200))
			start := time.Now()
			_, err := c.Do(get(t.Context()))
			want(t, err, start, false)
			wantInFlight(t, tr, 0)
		})
	})
	t.Run("attempts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _ := client(t, answering(500))
			start := time.Now()
			resp, err := c.Do(get(t.Context()))
			if err != nil || resp.StatusCode != 500 || time.Since(start) >= 2*time.Second {
				t.Errorf("%v after %v: want the last answer before the time is up", err, time.Since(start))
				return
			}
			resp.Body.Close()
		})
	})
	t.Run("body", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, tr := client(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				resp := response(req, 200)
				resp.Body = &stream{req.Context()}
				return resp, nil
			}))
			start := time.Now()
			resp := must(c.Do(get(t.Context())))
			_, err := resp.Body.Read(nil)
			want(t, err, start, false)
			resp.Body.Close()
			wantInFlight(t, tr, 0)
		})
	})
}

func TestMaxWaitIsToldFromTheCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.MaxWait = time.Second })
		defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
		for name, test := range map[string]struct{ deadline, took time.Duration }{
			"ours":    {time.Hour, time.Second},
			"callers": {time.Second / 2, time.Second / 2},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
			start := time.Now()
			_, err := tr.RoundTrip(get(ctx))
			cancel()
			if ours := errors.Is(err, limiter.ErrMaxWait); ours != (name == "ours") || !errors.Is(err, limiter.ErrRejected) ||
				errors.Is(err, context.DeadlineExceeded) == ours || time.Since(start) != test.took {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
		}
		host, _ := tr.Stats().Host("example.com:80")
		if r := host.Limiter.Rejected; r.WaitedTooLong != 1 || r.Deadline != 1 {
			t.Errorf("%+v", r)
		}
	})
}
