package httpclient_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// BenchmarkOverhead is what the Transport costs on top of a Base that does
// nothing: a limit, a breaker, and the body that gives the place back.
func BenchmarkOverhead(b *testing.B) {
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: -1, Body: endless{}, Request: req}, nil
	})
	through := func(c httpclient.Config) http.RoundTripper {
		c.Base = base
		if c.Limiter == nil {
			c.Limiter = fixed(100)
		}
		return must(httpclient.NewTransport(c))
	}
	background := context.Background()
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	for _, bb := range []struct {
		name string
		rt   http.RoundTripper
		ctx  context.Context
	}{
		{"bare", base, background},
		{"fixed+breaker", through(httpclient.Config{}), background},
		{"fixed", through(httpclient.Config{Breaker: httpclient.Breaker{Disabled: true}}), background},
		{"adaptive+breaker", through(httpclient.Config{Limiter: func(string) *limiter.Limiter {
			return limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{}))
		}}), background},
		{"fixed+breaker/cancellable", through(httpclient.Config{}), cancellable},
		{"fixed+breaker/attempt-timeout", through(httpclient.Config{AttemptTimeout: 1 << 40}), background},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			u := must(url.Parse("http://example.com/"))
			req := (&http.Request{Method: "GET", URL: u, Header: http.Header{}}).WithContext(bb.ctx)
			for b.Loop() {
				resp, err := bb.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}

// endless is a body that allocates nothing.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (endless) Close() error               { return nil }

var _ io.ReadCloser = endless{}
