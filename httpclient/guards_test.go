package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	})
}

func TestHostsAreOverriddenByTheMostSpecificPattern(t *testing.T) {
	policy := func(n int) httpclient.HostConfig {
		return httpclient.HostConfig{Policy: func(string) limiter.Policy { return limiter.Fixed(n) }}
	}
	off := policy(9)
	off.Breaker, off.AttemptTimeout = &httpclient.Breaker{Disabled: true}, -1
	tr := must(httpclient.NewTransport(httpclient.Config{
		Base: answering(200), Policy: func(string) limiter.Policy { return limiter.Fixed(1) }, AttemptTimeout: time.Second,
		Hosts: map[string]httpclient.HostConfig{
			"api.example.com":      policy(8),
			"API.example.com:8443": policy(7),
			"*.example.com":        policy(2),
			"*.deep.example.com":   policy(3),
			"off.test":             off,
		},
	}))
	for host, want := range map[string]int{
		"api.example.com": 8, "Api.Example.com.": 8, "api.example.com:8443": 7, "api.example.com:81": 8,
		"other.example.com": 2, "a.deep.example.com": 3, "deep.example.com": 2, "example.com": 1, "notexample.com": 1, "off.test": 9,
	} {
		do(tr, to(t, host))
		key := strings.TrimSuffix(strings.ToLower(host), ".")
		if !strings.Contains(key, ":") {
			key += ":80"
		}
		h, ok := tr.Stats().Host(key)
		if !ok || h.Limiter.Limit != want {
			t.Errorf("%s: limit %d, want %d", host, h.Limiter.Limit, want)
		}
		if off := host == "off.test"; off != (h.Breaker.Counts.Requests == 0) {
			t.Errorf("%s: breaker %+v", host, h.Breaker.Counts)
		}
	}
}

// One slow host must not take the places of all.
func TestGlobalLimitHoldsAndASlowHostTakesNoneOfItsPlacesInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		global := limiter.New(limiter.Fixed(6))
		var mu sync.Mutex
		now, peak := 0, 0
		per, done := map[string]int{}, map[string]int{}
		tr := transport(t, 4, roundTripper(func(req *http.Request) (*http.Response, error) {
			d := 10 * time.Millisecond
			if req.URL.Host == "slow.example" {
				d = 10 * time.Second
			}
			mu.Lock()
			now++
			per[req.URL.Host]++
			if peak = max(peak, now); per[req.URL.Host] > 4 {
				t.Errorf("%d at %s", per[req.URL.Host], req.URL.Host)
			}
			mu.Unlock()
			time.Sleep(d)
			mu.Lock()
			now--
			per[req.URL.Host]--
			done[req.URL.Host]++
			mu.Unlock()
			return response(req, 200), nil
		}), func(c *httpclient.Config) { c.Global = global })
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		var wg sync.WaitGroup
		for _, host := range []string{"slow.example", "a.example", "b.example", "c.example"} {
			for range 20 {
				wg.Go(func() {
					for ctx.Err() == nil {
						req := get(ctx)
						req.URL = &url.URL{Scheme: "http", Host: host}
						if _, err := do(tr, req); err != nil {
							time.Sleep(time.Second)
						}
					}
				})
			}
		}
		wg.Wait()
		if peak != 6 {
			t.Errorf("%d at once, want 6", peak)
		}
		// Two places are left to the three fast hosts: 200 a second, for a minute.
		if fast := done["a.example"] + done["b.example"] + done["c.example"]; fast < 10_000 || done["slow.example"] < 20 {
			t.Errorf("done: %v", done)
		}
		if s := global.Stats(); s.InFlight != 0 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestEachLayerWorksAlone(t *testing.T) {
	unlimited := func(string) limiter.Policy { return nil }
	off := httpclient.Breaker{Disabled: true}
	for name, test := range map[string]struct {
		config httpclient.Config
		works  func(*testing.T, *httpclient.Transport) bool
	}{
		"breaker": {httpclient.Config{Policy: unlimited, Breaker: httpclient.Breaker{MinRequests: 1}}, func(t *testing.T, tr *httpclient.Transport) bool {
			do(tr, get(t.Context()))
			_, err := do(tr, get(t.Context()))
			return errors.Is(err, httpclient.ErrBreakerOpen)
		}},
		"limiter": {httpclient.Config{Policy: func(string) limiter.Policy { return limiter.Fixed(1) }, Breaker: off, NoPacing: true, MaxWait: 1}, func(t *testing.T, tr *httpclient.Transport) bool {
			defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
			_, err := do(tr, get(t.Context()))
			return errors.Is(err, limiter.ErrMaxWait)
		}},
		"retries": {httpclient.Config{Policy: unlimited, Breaker: off, Retry: httpclient.Retry{Attempts: 3}}, func(t *testing.T, tr *httpclient.Transport) bool {
			do(tr, get(t.Context()))
			return only(t, tr).Retries == 2
		}},
		"none": {httpclient.Config{Policy: unlimited, Breaker: off, NoPacing: true}, func(t *testing.T, tr *httpclient.Transport) bool {
			for range 100 {
				do(tr, get(t.Context()))
			}
			h := only(t, tr)
			return h.Limiter.Admitted == 100 && h.Retries == 0 && h.Limiter.Rejected.Sum() == 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.config.Base = answering(500)
				if !test.works(t, must(httpclient.NewTransport(test.config))) {
					t.Error("it does not work")
				}
			})
		})
	}
}

func TestBaseThatCannotServeTheLimitIsWarnedOf(t *testing.T) {
	for name, test := range map[string]struct {
		base *http.Transport
		want int
	}{
		"two idle connections": {new(http.Transport), 1},
		"enough":               {&http.Transport{MaxIdleConnsPerHost: 16}, 0},
		"few connections":      {&http.Transport{MaxIdleConnsPerHost: 16, MaxConnsPerHost: 4}, 1},
		"few for all hosts":    {&http.Transport{MaxIdleConnsPerHost: 16, MaxIdleConns: 4}, 1},
	} {
		core, logs := observer.New(zap.WarnLevel)
		tr := transport(t, 16, test.base, func(c *httpclient.Config) { c.Logger = zap.New(core) })
		for i := range 3 { // nobody listens there
			do(tr, to(t, fmt.Sprintf("127.0.0.1:%d", 1+i)))
		}
		if n := logs.FilterMessageSnippet("cannot serve the limit").Len(); n != test.want {
			t.Errorf("%s: %d warnings, want %d", name, n, test.want)
		}
	}
}
