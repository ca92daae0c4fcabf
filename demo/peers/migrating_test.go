package peers

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// What docs/production.md says of the first step away from go-retryablehttp: each of
// its attempts takes a place of its own, and none is held while it pauses.
func TestRetryOfGoRetryablehttpEscapesTheLimit(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	transport, err := httpclient.NewTransport(httpclient.Config{
		Base:   server.Client().Transport,
		Policy: func(string) limiter.Policy { return limiter.Fixed(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient.Transport = transport
	client.Backoff = func(time.Duration, time.Duration, int, *http.Response) time.Duration {
		if n := transport.Stats().Hosts[0].Limiter.InFlight; n != 0 {
			t.Errorf("%d places held during the pause", n)
		}
		return 0
	}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	s := transport.Stats().Hosts[0].Limiter
	if resp.StatusCode != http.StatusOK || s.Admitted != 3 || s.InFlight != 0 {
		t.Errorf("status %d with %d admitted and %d in flight, want 200, 3 and 0", resp.StatusCode, s.Admitted, s.InFlight)
	}
}

// The second thing that docs/production.md says of it: with the CheckRetry that stands
// there a rejection is not repeated, and the caller can tell.
func TestGoRetryablehttpRepeatsRejections(t *testing.T) {
	l := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
	transport, err := httpclient.NewTransport(httpclient.Config{Limiter: func(string) *limiter.Limiter { return l }})
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient.Transport = transport
	client.Backoff = func(time.Duration, time.Duration, int, *http.Response) time.Duration { return 0 }
	client.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if errors.Is(err, limiter.ErrRejected) || errors.Is(err, httpclient.ErrBreakerOpen) {
			return false, err
		}
		return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	}
	resp, err := client.Get("http://127.0.0.1:1/") // where nothing is sent
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, limiter.ErrRejected) {
		t.Errorf("%v, want a rejection", err)
	}
	if n := l.Stats().Rejected.QueueFull; n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

// What docs/production.md says of failsafe-go's bulkhead, and of ours: while a body is
// open, theirs lets the next request pass and ours does not.
func TestPlaceIsGivenBackBeforeTheBodyHasEnded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		if req.URL.Path == "/long" {
			<-req.Context().Done()
		}
	}))
	defer server.Close()
	ours, err := httpclient.NewTransport(httpclient.Config{
		Base: server.Client().Transport,
		Limiter: func(string) *limiter.Limiter {
			return limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	theirs := failsafehttp.NewRoundTripper(server.Client().Transport, bulkhead.New[*http.Response](1))
	for name, transport := range map[string]http.RoundTripper{"ours": ours, "theirs": theirs} {
		client := http.Client{Transport: transport}
		long, err := client.Get(server.URL + "/long")
		if err != nil {
			t.Fatal(err)
		}
		second, err := client.Get(server.URL)
		if err == nil {
			second.Body.Close()
		}
		if held := errors.Is(err, limiter.ErrRejected); held != (name == "ours") || !held && err != nil {
			t.Errorf("%s: beside an open body: %v", name, err)
		}
		long.Body.Close()
	}
}
