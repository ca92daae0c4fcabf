package httpclient_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// Tests in this file talk to real servers on loopback.

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func serve2(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that are meant to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// around returns a client whose Transport is around a transport of its own
// that knows the server's certificate.
func around(t testing.TB, s *httptest.Server, c httpclient.Config) (*http.Client, *httpclient.Transport) {
	c.Base = s.Client().Transport.(*http.Transport).Clone()
	tr := must(httpclient.NewTransport(c))
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}, tr
}

func drain(t testing.TB, resp *http.Response, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
}

// http.DefaultTransport keeps two idle connections and dials for the other 14
// callers again and again.
func TestNewDialsOncePerPlace(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello")
	}))
	var dials atomic.Int64
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dials.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	client := must(httpclient.New(httpclient.Config{Limiter: fixed(16)}))
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				resp, err := client.Get(s.URL)
				drain(t, resp, err)
			}
		})
	}
	wg.Wait()
	// Net/http dials as soon as no connection is idle, and on a busy machine one
	// becomes idle a little late. With two idle connections it is over 1,000.
	if n := dials.Load(); n > 100 {
		t.Errorf("%d connections for 16 callers that make 1,600 requests", n)
	}
}

func TestLimitHoldsAtTheServer(t *testing.T) {
	for name, start := range map[string]func(testing.TB, http.HandlerFunc) *httptest.Server{"HTTP/1": serve, "HTTP/2": serve2} {
		t.Run(name, func(t *testing.T) {
			var now, peak atomic.Int64
			s := start(t, func(w http.ResponseWriter, _ *http.Request) {
				n := now.Add(1)
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				w.(http.Flusher).Flush() // the head is out, the body is not
				io.WriteString(w, strings.Repeat("x", 10_000))
				now.Add(-1)
			})
			client, tr := around(t, s, httpclient.Config{Limiter: fixed(3)})
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					for range 20 {
						resp, err := client.Get(s.URL)
						drain(t, resp, err)
					}
				})
			}
			wg.Wait()
			h := only(t, tr)
			if peak.Load() > 3 || h.Limiter.PeakInFlight != 3 {
				t.Errorf("%d at the server, %d in flight, want at most 3", peak.Load(), h.Limiter.PeakInFlight)
			}
			if h.Limiter.InFlight != 0 || h.Limiter.Outcomes.Success != 200 || h.Breaker.Counts.TotalFailures+h.Breaker.Counts.TotalExclusions != 0 {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestEmptyAnswersHoldNoPlace(t *testing.T) {
	for name, start := range map[string]func(testing.TB, http.HandlerFunc) *httptest.Server{"HTTP/1": serve, "HTTP/2": serve2} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/204" {
					w.WriteHeader(http.StatusNoContent)
				}
			})
			client, tr := around(t, s, httpclient.Config{Limiter: fixed(1), AttemptTimeout: time.Minute})
			for _, f := range []func() (*http.Response, error){
				func() (*http.Response, error) { return client.Get(s.URL) },
				func() (*http.Response, error) { return client.Get(s.URL + "/204") },
				func() (*http.Response, error) { return client.Head(s.URL) },
			} {
				resp := must(f())
				wantInFlight(t, tr, 0)
				resp.Body.Close()
			}
			if n := only(t, tr).Breaker.Counts; n.TotalSuccesses != 3 || n.TotalExclusions != 0 {
				t.Errorf("the breaker was told %+v, want 3 successes and no more", n)
			}
		})
	}
}

// Trailers in both directions, with an attempt timeout, which means a copied
// request, and over both protocols.
func TestTrailersPassBothWays(t *testing.T) {
	for name, start := range map[string]func(testing.TB, http.HandlerFunc) *httptest.Server{"HTTP/1": serve, "HTTP/2": serve2} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(w http.ResponseWriter, req *http.Request) {
				io.Copy(io.Discard, req.Body)
				w.Header().Set("Trailer", "Declared")
				io.WriteString(w, "body")
				w.Header().Set("Declared", req.Trailer.Get("Sum"))
				w.Header().Set(http.TrailerPrefix+"Undeclared", "yes")
			})
			client, _ := around(t, s, httpclient.Config{AttemptTimeout: time.Minute})
			var req *http.Request
			req = must(http.NewRequest("POST", s.URL, atEOF{strings.NewReader("payload"), func() { req.Trailer.Set("Sum", "42") }}))
			req.Trailer = http.Header{"Sum": nil}
			resp, err := client.Do(req)
			drain(t, resp, err)
			if resp.Trailer.Get("Declared") != "42" || resp.Trailer.Get("Undeclared") != "yes" {
				t.Errorf("trailers %v", resp.Trailer)
			}
		})
	}
}

func TestRedirectsTakeOnePlaceAtATime(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if n := len(req.URL.Path); n < 8 {
			http.Redirect(w, req, req.URL.Path+"x", http.StatusFound)
			return
		}
		io.WriteString(w, "there")
	})
	client, tr := around(t, s, httpclient.Config{Limiter: fixed(1)})
	resp, err := client.Get(s.URL + "/")
	drain(t, resp, err)
	if got := only(t, tr).Limiter; got.Admitted != 8 || got.PeakInFlight != 1 {
		t.Errorf("%+v", got)
	}
}

func TestCancelWhileTheServerIsAtWork(t *testing.T) {
	for name, start := range map[string]func(testing.TB, http.HandlerFunc) *httptest.Server{"HTTP/1": serve, "HTTP/2": serve2} {
		t.Run(name, func(t *testing.T) {
			reached := make(chan struct{})
			s := start(t, func(_ http.ResponseWriter, req *http.Request) { close(reached); <-req.Context().Done() })
			client, tr := around(t, s, httpclient.Config{Limiter: fixed(1)})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-reached; cancel() }()
			if _, err := client.Do(must(http.NewRequestWithContext(ctx, "GET", s.URL, nil))); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if o := only(t, tr).Limiter.Outcomes; o.Cancelled != 1 {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestAttemptTimeoutOfRealTransports(t *testing.T) {
	for name, start := range map[string]func(testing.TB, http.HandlerFunc) *httptest.Server{"HTTP/1": serve, "HTTP/2": serve2} {
		for _, phase := range []string{"head", "body"} {
			t.Run(name+" "+phase, func(t *testing.T) {
				s := start(t, func(w http.ResponseWriter, req *http.Request) {
					if phase == "body" {
						w.(http.Flusher).Flush()
					}
					<-req.Context().Done()
				})
				client, tr := around(t, s, httpclient.Config{AttemptTimeout: 50 * time.Millisecond})
				resp, err := client.Get(s.URL)
				if phase == "body" {
					if err != nil {
						t.Skipf("the machine is too slow: %v", err)
					}
					_, err = resp.Body.Read(make([]byte, 1))
					resp.Body.Close()
				}
				if !errors.Is(err, httpclient.ErrAttemptTimeout) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				wantInFlight(t, tr, 0)
			})
		}
	}
}

func TestRefusedConnectionIsOverdueAndFailsTheBreaker(t *testing.T) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	l.Close()
	client := must(httpclient.New(httpclient.Config{Breaker: httpclient.Breaker{MinRequests: 3}}))
	var err error
	for range 4 {
		_, err = client.Get("http://" + l.Addr().String())
	}
	if !errors.Is(err, httpclient.ErrBreakerOpen) {
		t.Error(err)
	}
	if o := only(t, client.Transport.(*httpclient.Transport)).Limiter.Outcomes; o.Overdue != 3 {
		t.Errorf("%+v", o)
	}
}

func TestUntrustedCertificateIsNobodysFailure(t *testing.T) {
	s := serve2(t, func(http.ResponseWriter, *http.Request) {})
	tr := transport(t, 1, new(http.Transport))
	if _, err := do(tr, must(http.NewRequest("GET", s.URL, nil))); err == nil {
		t.Fatal("trusted")
	}
	if o := only(t, tr).Limiter.Outcomes; o.Ignored != 1 {
		t.Errorf("%+v", o)
	}
}

func TestReverseProxyThroughTheTransport(t *testing.T) {
	backend := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "backend") })
	full := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
	tr := must(httpclient.NewTransport(httpclient.Config{
		Base: new(http.Transport), Limiter: func(string) *limiter.Limiter { return full },
	}))
	defer tr.CloseIdleConnections()
	proxy := httputil.NewSingleHostReverseProxy(must(url.Parse(backend.URL)))
	proxy.Transport = tr
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		if errors.Is(err, limiter.ErrRejected) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	front := serve(t, proxy.ServeHTTP)
	resp := must(front.Client().Get(front.URL))
	if b, _ := io.ReadAll(resp.Body); string(b) != "backend" {
		t.Errorf("%q", b)
	}
	resp.Body.Close()
	p, _ := full.TryAcquire()
	defer p.Release()
	resp = must(front.Client().Get(front.URL))
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d for a rejection", resp.StatusCode)
	}
}

// A body that is forgotten, of a real transport that still waits for its end.
func TestForgottenBodyOfARealTransportIsRecovered(t *testing.T) {
	for name, start := range map[string]func(testing.TB, http.HandlerFunc) *httptest.Server{"HTTP/1": serve, "HTTP/2": serve2} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Write(make([]byte, 1<<20)) // more than is buffered on the way
			})
			client, tr := around(t, s, httpclient.Config{Limiter: fixed(1)})
			// The collector recovers the place but not the connection, which
			// lasts until the context ends: here, as in a server's main, late.
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			must(client.Do(must(http.NewRequestWithContext(ctx, "GET", s.URL, nil))))
			for start := time.Now(); only(t, tr).Limiter.InFlight > 0; collect() {
				if time.Since(start) > 10*time.Second {
					t.Fatal("the place was not recovered")
				}
			}
		})
	}
}
