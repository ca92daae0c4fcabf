package httpclient_test

import (
	"context"
	"errors"
	"fmt"
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

// A host's place that is kept while the place of all hosts is waited for is lost to
// those who would have both: with a limiter that measures latency it also counts as work.
func TestHostsPlaceIsHeldWhileTheGlobalOneIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		global := limiter.New(limiter.Fixed(1))
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.Global = global })
		held, _ := global.TryAcquire()
		done := make(chan error)
		go func() {
			_, err := do(tr, get(context.Background()))
			done <- err
		}()
		synctest.Wait()
		if s := global.Stats(); s.Queued != 1 {
			t.Fatalf("it does not wait: %+v", s)
		}
		wantInFlight(t, tr, 0)
		held.Release()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
