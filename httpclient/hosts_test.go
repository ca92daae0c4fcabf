package httpclient_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func to(t testing.TB, host string) *http.Request {
	req := get(t.Context())
	req.URL = &url.URL{Scheme: "http", Host: host}
	return req
}

func TestHostsAreBounded(t *testing.T) {
	shared := limiter.New(limiter.Fixed(100))
	for name, f := range map[string]func(string) *limiter.Limiter{
		"own limiters":   fixed(10),
		"shared limiter": func(string) *limiter.Limiter { return shared },
		"unlimited":      func(string) *limiter.Limiter { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.Limiter, c.MaxHosts = f, 10 })
			held := must(tr.RoundTrip(to(t, "held.example"))) // keeps the shared limiter busy
			for i := range 200 {
				do(tr, to(t, fmt.Sprintf("host%d.example", i)))
			}
			s := tr.Stats()
			if len(s.Hosts) > 11 {
				t.Errorf("%d hosts are remembered, want about 10", len(s.Hosts))
			}
			if h, ok := s.Host("held.example:80"); !ok || h.Limiter.InFlight < 1 {
				t.Error("a host in use was forgotten")
			}
			held.Body.Close()
		})
	}
}

// A host that nobody remembers would be open to all again.
func TestOpenBreakerAndPauseAreNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			switch req.URL.Host {
			case "ill.example":
				return response(req, 500), nil
			case "busy.example":
				resp := response(req, 429)
				resp.Header.Set("Retry-After", "30")
				return resp, nil
			}
			return response(req, 200), nil
		}), func(c *httpclient.Config) {
			c.MaxHosts, c.Breaker.MinRequests, c.Breaker.OpenFor = 1, 1, 30*time.Second
		})
		crowd := func() {
			for i := range 100 {
				do(tr, to(t, fmt.Sprintf("host%d.example", i)))
			}
		}
		do(tr, to(t, "ill.example"))
		do(tr, to(t, "busy.example"))
		crowd()
		s := tr.Stats()
		_, ill := s.Host("ill.example:80")
		_, busy := s.Host("busy.example:80")
		if !ill || !busy {
			t.Errorf("remembered: %v, %v", ill, busy)
		}
		time.Sleep(31 * time.Second) // after that there is nothing to remember
		crowd()
		if n := len(tr.Stats().Hosts); n > 2 {
			t.Errorf("%d hosts are remembered, want 1", n)
		}
	})
}

func TestHostsShareALimiterButNotABreaker(t *testing.T) {
	shared := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
	tr := transport(t, 1, answering(200), func(c *httpclient.Config) {
		c.Limiter = func(string) *limiter.Limiter { return shared }
	})
	held := must(tr.RoundTrip(to(t, "a.example")))
	defer held.Body.Close()
	if _, err := do(tr, to(t, "b.example")); err == nil {
		t.Error("two requests went through a shared limit of 1")
	}
}
