package peers

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

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
