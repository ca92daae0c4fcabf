package peers

import (
	"io"
	"net/http"
	"testing"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// A request through a limit and a circuit breaker, and the end of its body, over a
// base that does nothing: what is measured is what the layers cost.

func BenchmarkHTTP(b *testing.B) {
	tidegate, err := httpclient.NewTransport(httpclient.Config{
		Base: nothing{}, Policy: func(string) limiter.Policy { return limiter.Fixed(100) },
	})
	if err != nil {
		b.Fatal(err)
	}
	compare(b, alone, []side{
		{"tidegate", through(tidegate)},
		{"failsafe-go", through(failsafehttp.NewRoundTripper(nothing{},
			bulkhead.New[*http.Response](100), circuitbreaker.NewWithDefaults[*http.Response]()))},
		{"bare", through(nothing{})},
	})
}

func through(rt http.RoundTripper) func(load) func(int) {
	return func(load) func(int) {
		req, err := http.NewRequest(http.MethodGet, "http://example.com/", nil)
		if err != nil {
			panic(err)
		}
		return func(n int) {
			for range n {
				resp, err := rt.RoundTrip(req)
				if err != nil {
					panic(err)
				}
				resp.Body.Close()
			}
		}
	}
}

// nothing answers at once, with a body that has to be closed.
type nothing struct{}

func (nothing) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Body: endless{}, Request: req}, nil
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return 0, io.EOF }
func (endless) Close() error               { return nil }
