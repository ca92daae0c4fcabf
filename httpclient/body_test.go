package httpclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
)

// with is a Base whose responses f has changed.
func with(f func(*http.Response)) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		resp := response(req, 200)
		f(resp)
		return resp, nil
	}
}

func TestPlaceIsHeldUntilTheBodyEnds(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct {
		inner io.Reader
		end   func(io.ReadCloser)
	}{
		"read to the end": {strings.NewReader("x"), func(b io.ReadCloser) { io.Copy(io.Discard, b) }},
		"read error":      {iotest.ErrReader(broken), func(b io.ReadCloser) { b.Read(nil) }},
		"close":           {strings.NewReader("x"), func(b io.ReadCloser) { b.Close() }},
		"all of it, twice, at once": {strings.NewReader("x"), func(b io.ReadCloser) {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { b.Close() })
			}
			io.Copy(io.Discard, b)
			wg.Wait()
			b.Close()
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inner := io.NopCloser(test.inner)
			tr := transport(t, 2, with(func(r *http.Response) { r.Body = inner }))
			other := must(tr.RoundTrip(get(t.Context()))) // must not be given back by mistake
			resp := must(tr.RoundTrip(get(t.Context())))
			wantInFlight(t, tr, 2)
			test.end(resp.Body)
			wantInFlight(t, tr, 1)
			if u := resp.Body.(interface{ Unwrap() io.ReadCloser }); u.Unwrap() != inner {
				t.Error("Unwrap does not return the base's body")
			}
			other.Body.Close()
			wantInFlight(t, tr, 0)
		})
	}
}

func TestLimitHoldsForBodiesAndNotForHeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 2, answering(200))
		heads := make(chan *http.Response, 20)
		for range 20 {
			go func() { heads <- must(tr.RoundTrip(get(context.Background()))) }()
		}
		for range 10 {
			synctest.Wait()
			if n := len(heads); n != 2 {
				t.Fatalf("%d bodies are open, want 2", n)
			}
			(<-heads).Body.Close()
			(<-heads).Body.Close()
		}
	})
}

func TestPlaceIsGivenBackAtTheHeadWhenThereIsNoBody(t *testing.T) {
	tests := map[string]struct {
		method string
		change func(*http.Response)
	}{
		"NoBody":        {"GET", func(r *http.Response) { r.Body = http.NoBody }},
		"nil":           {"GET", func(r *http.Response) { r.Body = nil }},
		"HEAD":          {"HEAD", func(*http.Response) {}},
		"204":           {"GET", func(r *http.Response) { r.StatusCode = 204 }},
		"304":           {"GET", func(r *http.Response) { r.StatusCode = 304 }},
		"empty, HTTP/2": {"GET", func(r *http.Response) { r.ProtoMajor, r.ContentLength = 2, 0 }},
		"101":           {"GET", func(r *http.Response) { r.StatusCode = 101; r.Body = duplex{r.Body} }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var base *http.Response
			tr := transport(t, 1, with(func(r *http.Response) { test.change(r); base = r }))
			req := get(t.Context())
			req.Method = test.method
			for range 2 {
				resp := must(tr.RoundTrip(req))
				if resp != base {
					t.Error("the response was copied without need")
				}
				wantInFlight(t, tr, 0)
			}
		})
	}
}

// The end of an empty HTTP/2 stream may come after its head, and reading up to
// it fails if the context has been cancelled meanwhile.
func TestAttemptOfAnEmptyAnswerIsNotCancelledAtTheHead(t *testing.T) {
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		resp := response(req, 304)
		resp.Body = io.NopCloser(governed{req.Context(), strings.NewReader("")})
		return resp, nil
	}), func(c *httpclient.Config) { c.AttemptTimeout = time.Hour })
	resp := must(tr.RoundTrip(get(t.Context())))
	wantInFlight(t, tr, 0)
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	if _, err := resp.Body.Read(nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end the context goes on: %v", err)
	}
}

// A governed body fails once its context has ended.
type governed struct {
	ctx context.Context
	io.Reader
}

func (g governed) Read(p []byte) (int, error) {
	if g.ctx.Err() != nil {
		return 0, g.ctx.Err()
	}
	return g.Reader.Read(p)
}

// duplex is the body of a switched protocol.
type duplex struct{ io.ReadCloser }

func (duplex) Write(p []byte) (int, error) { return len(p), nil }
func (duplex) CloseWrite() error           { return nil }

func TestSwitchedProtocolKeepsWriteAndCloseWrite(t *testing.T) {
	tr := transport(t, 1, with(func(r *http.Response) { r.StatusCode = 101; r.Body = duplex{r.Body} }))
	resp := must(tr.RoundTrip(get(t.Context())))
	if _, ok := resp.Body.(interface {
		io.ReadWriteCloser
		CloseWrite() error
	}); !ok {
		t.Errorf("the body is a %T", resp.Body)
	}
}

func TestEndOfContextGivesBackThePlaceOfAnUntouchedBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200))
		ctx, cancel := context.WithCancel(t.Context())
		resp := must(tr.RoundTrip(get(ctx)))
		wantInFlight(t, tr, 1)
		cancel()
		synctest.Wait()
		wantInFlight(t, tr, 0)
		// Another request now has the place. What the first body does must
		// not touch it.
		second := must(tr.RoundTrip(get(t.Context())))
		resp.Body.Close()
		wantInFlight(t, tr, 1)
		second.Body.Close()
	})
}

func TestAttemptTimeoutGivesBackThePlaceOfAnUntouchedBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.AttemptTimeout = time.Second })
		resp := must(tr.RoundTrip(get(t.Context())))
		defer resp.Body.Close()
		wantInFlight(t, tr, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		wantInFlight(t, tr, 0)
	})
}

// net/http sets the trailers of its own response at the end of the body, also
// those that were not announced.
func TestTrailersArriveAtTheEnd(t *testing.T) {
	tr := transport(t, 1, with(func(r *http.Response) {
		r.Body = io.NopCloser(atEOF{strings.NewReader("x"), func() { r.Trailer = http.Header{"Sum": {"1"}} }})
	}))
	resp := must(tr.RoundTrip(get(t.Context())))
	io.Copy(io.Discard, resp.Body)
	if resp.Trailer.Get("Sum") != "1" {
		t.Error("the trailer was lost")
	}
}

type atEOF struct {
	io.Reader
	f func()
}

func (a atEOF) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err == io.EOF {
		a.f()
	}
	return n, err
}

// The base refers to its response for as long as its body has not ended, as the
// goroutines of net/http do. Also a context that lives on must not keep what
// the caller has forgotten.
func TestForgottenBodyIsRecovered(t *testing.T) {
	long, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, ctx := range map[string]context.Context{"no end": context.Background(), "long context": long} {
		t.Run(name, func(t *testing.T) {
			var kept []*http.Response
			tr := transport(t, 1, with(func(r *http.Response) { kept = append(kept, r) }))
			must(tr.RoundTrip(get(ctx)))
			for range 100 {
				runtime.GC()
				if only(t, tr).Limiter.Leaked == 1 {
					wantInFlight(t, tr, 0)
					runtime.KeepAlive(kept)
					return
				}
				runtime.Gosched()
			}
			t.Error("the place was not recovered")
		})
	}
}

// A stream that has given back its place with its head may last for days.
func TestAttemptTimeoutEndsAStreamThatWasReleasedAtItsHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var exchange context.Context
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			exchange = req.Context()
			return response(req, 200), nil
		}), func(c *httpclient.Config) { c.AttemptTimeout = time.Second })
		resp := must(tr.RoundTrip(get(httpclient.WithReleaseAtHead(t.Context()))))
		time.Sleep(24 * time.Hour)
		if err := exchange.Err(); err != nil {
			t.Errorf("the stream has ended: %v", err)
		}
		resp.Body.Close()
		if exchange.Err() == nil {
			t.Error("the context of the attempt outlives its body")
		}
	})
}

// The connection of an answer that is not passed on can be used again only if the end of
// the body has been read, also where it is as long as we read of one.
func TestEndOfADiscardedBodyIsNotRead(t *testing.T) {
	var ended atomic.Bool
	calls := 0
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		if calls++; calls > 1 {
			return response(req, 200), nil
		}
		resp := response(req, 503)
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", 16<<10)), ending{&ended}))
		return resp, nil
	}), retries(2), func(c *httpclient.Config) { c.Retry.MinBackoff = time.Millisecond })
	if code, err := do(tr, get(t.Context())); code != 200 || err != nil || !ended.Load() {
		t.Errorf("%d, %v; the end was read: %v", code, err, ended.Load())
	}
}

// ending is the end of a body, and knows whether it has been read.
type ending struct{ read *atomic.Bool }

func (e ending) Read([]byte) (int, error) { e.read.Store(true); return 0, io.EOF }
