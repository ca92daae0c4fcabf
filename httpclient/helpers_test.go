package httpclient_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// A roundTripper is a Base made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answering is a Base that answers with code and a body.
func answering(code int) roundTripper {
	return func(req *http.Request) (*http.Response, error) { return response(req, code), nil }
}

// slow is a Base that answers after d, or when the request's context has ended
// with its cause, as net/http does.
func slow(d time.Duration, code int) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		defer closeBody(req)
		select {
		case <-time.After(d):
			return response(req, code), nil
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

func response(req *http.Request, code int) *http.Response {
	return &http.Response{
		StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("body")), Request: req,
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func fixed(n int) func(string) *limiter.Limiter {
	return func(string) *limiter.Limiter { return limiter.New(limiter.Fixed(n)) }
}

// transport returns a Transport around base with a limit of n per host.
func transport(t testing.TB, n int, base http.RoundTripper, change ...func(*httpclient.Config)) *httpclient.Transport {
	t.Helper()
	c := httpclient.Config{Base: base, Limiter: fixed(n)}
	for _, f := range change {
		f(&c)
	}
	return must(httpclient.NewTransport(c))
}

const target = "http://example.com/path?secret=query"

func get(ctx context.Context) *http.Request {
	return must(http.NewRequestWithContext(ctx, "GET", target, nil))
}

// A watched request body knows whether it has been closed.
type watched struct {
	io.Reader
	closed atomic.Bool
}

func (w *watched) Close() error { w.closed.Store(true); return nil }

func post(ctx context.Context) (*http.Request, *watched) {
	w := &watched{Reader: strings.NewReader("payload")}
	return must(http.NewRequestWithContext(ctx, "POST", target, w)), w
}

// only returns the statistics of the one host that t knows.
func only(t testing.TB, tr *httpclient.Transport) httpclient.HostStats {
	t.Helper()
	s := tr.Stats()
	if len(s.Hosts) != 1 {
		t.Fatalf("the transport knows %d hosts, want 1", len(s.Hosts))
	}
	return s.Hosts[0]
}

func wantInFlight(t testing.TB, tr *httpclient.Transport, want int) {
	t.Helper()
	if got := only(t, tr).Limiter.InFlight; got != want {
		t.Errorf("%d in flight, want %d", got, want)
	}
}

// do sends req and ends the exchange; it returns the status.
func do(rt http.RoundTripper, req *http.Request) (int, error) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	if resp.Body != nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	return resp.StatusCode, nil
}
