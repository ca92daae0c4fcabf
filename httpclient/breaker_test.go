package httpclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func breaker(b httpclient.Breaker) func(*httpclient.Config) {
	return func(c *httpclient.Config) { c.Breaker = b }
}

// A server is a Base whose answers a test can change.
type server struct {
	next  atomic.Pointer[roundTripper]
	calls atomic.Int64
}

func serving(f roundTripper) *server {
	s := new(server)
	s.next.Store(&f)
	return s
}

func (s *server) become(f roundTripper) { s.next.Store(&f) }

func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	s.calls.Add(1)
	return (*s.next.Load())(req)
}

func TestBreakerOpensProbesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(500))
		tr := transport(t, 10, s, breaker(httpclient.Breaker{MinRequests: 4, Probes: 2, OpenFor: 5 * time.Second}))
		client := &http.Client{Transport: tr}
		for range 4 {
			resp := must(client.Get(target))
			resp.Body.Close()
		}
		_, err := client.Get(target)
		var b *httpclient.BreakerError
		if !errors.Is(err, httpclient.ErrBreakerOpen) || !errors.Is(err, gobreaker.ErrOpenState) || !errors.As(err, &b) {
			t.Fatalf("error %v", err)
		}
		if b.Host != "example.com:80" || b.State != gobreaker.StateOpen || b.RetryIn < 5*time.Second || b.RetryIn > 6*time.Second {
			t.Errorf("%+v", b)
		}
		if errors.Is(err, limiter.ErrRejected) {
			t.Error("a breaker is not a limiter")
		}
		if n := s.calls.Load(); n != 4 {
			t.Errorf("%d calls, want 4", n)
		}

		time.Sleep(6*time.Second + 1)
		s.become(slow(time.Second, 200))
		for range 2 { // one after the other
			go do(tr, get(t.Context()))
			synctest.Wait()
			_, err = tr.RoundTrip(get(t.Context()))
			if !errors.Is(err, httpclient.ErrBreakerOpen) || !errors.Is(err, gobreaker.ErrTooManyRequests) {
				t.Errorf("another request during a probe: %v", err)
			}
			time.Sleep(2 * time.Second)
		}
		if got := only(t, tr).Breaker; got.State != gobreaker.StateClosed || got.Opened != 1 || got.Refused != 3 {
			t.Errorf("%+v", got)
		}
	})
}

// Neither of these says that the host is ill.
func TestBreakerIsNotTrippedBy(t *testing.T) {
	full := func(string) *limiter.Limiter {
		l := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
		l.TryAcquire()
		return l
	}
	tests := map[string]struct {
		base    http.RoundTripper
		limiter func(string) *limiter.Limiter
		timeout time.Duration
		cancel  time.Duration
	}{
		"cancels":                 {base: slow(time.Hour, 200), cancel: 10 * time.Second},
		"429":                     {base: answering(429)},
		"own rejections":          {base: answering(200), limiter: full},
		"404":                     {base: answering(404)},
		"501":                     {base: answering(501)},
		"deadlines that are rash": {base: slow(time.Hour, 200), timeout: 10 * time.Millisecond},
		"invalid requests":        {base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New(`net/http: invalid method "\x00"`) })},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := transport(t, 10, test.base, breaker(httpclient.Breaker{MinRequests: 1, FailureRatio: 0.01}),
					func(c *httpclient.Config) {
						if test.limiter != nil {
							c.Limiter = test.limiter
						}
					})
				for range 50 {
					ctx, cancel := context.WithCancel(t.Context())
					if test.timeout > 0 {
						ctx, cancel = context.WithTimeout(t.Context(), test.timeout)
					}
					if test.cancel > 0 {
						time.AfterFunc(test.cancel, cancel)
					}
					do(tr, get(ctx))
					cancel()
				}
				if got := only(t, tr).Breaker; got.Opened != 0 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

func TestBreakerIsTrippedBy(t *testing.T) {
	tests := map[string]struct {
		base    http.RoundTripper
		timeout time.Duration
		attempt time.Duration
	}{
		"500":                 {base: answering(500)},
		"503":                 {base: answering(503)},
		"errors":              {base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("malformed HTTP response") })},
		"attempt timeouts":    {base: slow(time.Hour, 200), attempt: time.Millisecond},
		"deadlines with time": {base: slow(time.Hour, 200), timeout: 2 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := transport(t, 10, test.base, breaker(httpclient.Breaker{MinRequests: 2}),
					func(c *httpclient.Config) { c.AttemptTimeout = test.attempt })
				for range 3 {
					ctx, cancel := t.Context(), context.CancelFunc(func() {})
					if test.timeout > 0 {
						ctx, cancel = context.WithTimeout(ctx, test.timeout)
					}
					do(tr, get(ctx))
					cancel()
				}
				if got := only(t, tr).Breaker; got.Opened != 1 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// gobreaker's Requests counts calls on their way and excluded ones too: 4
// failures and 6 cancels would be a ratio of 0.4.
func TestExcludedAnswersDoNotDiluteTheRatio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(429))
		tr := transport(t, 10, s, breaker(httpclient.Breaker{MinRequests: 4, FailureRatio: 1}))
		for range 60 {
			do(tr, get(t.Context()))
		}
		s.become(answering(500))
		for range 4 {
			do(tr, get(t.Context()))
		}
		if got := only(t, tr).Breaker; got.Opened != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// gobreaker alone would refuse for ever.
func TestProbeThatHangsDoesNotWedgeTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(500))
		tr := transport(t, 10, s, breaker(httpclient.Breaker{MinRequests: 1, Probes: 1, OpenFor: time.Second, ProbeTimeout: 10 * time.Second}))
		do(tr, get(t.Context()))
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		hung := make(chan struct{})
		s.become(slow(time.Hour, 200))
		go func() { defer close(hung); do(tr, get(ctx)) }()
		synctest.Wait()
		s.become(answering(200))
		if _, err := do(tr, get(t.Context())); !errors.Is(err, gobreaker.ErrTooManyRequests) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := only(t, tr).Breaker; got.State != gobreaker.StateOpen {
			t.Errorf("state %v after ProbeTimeout, want open", got.State)
		}
		time.Sleep(2 * time.Second)
		if _, err := do(tr, get(t.Context())); err != nil {
			t.Error(err)
		}
		cancel() // the hung probe now reports, too late
		<-hung
		if got := only(t, tr).Breaker; got.State != gobreaker.StateClosed || got.Opened != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestCancelledProbeFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(500))
		tr := transport(t, 10, s, breaker(httpclient.Breaker{MinRequests: 1, Probes: 1, OpenFor: time.Second}))
		do(tr, get(t.Context()))
		time.Sleep(2 * time.Second)
		s.become(slow(time.Hour, 200))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("any cause"))
		defer cancel()
		do(tr, get(ctx))
		s.become(answering(200))
		if _, err := do(tr, get(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// A probe reports at the head: a body that is read slowly must not keep the
// breaker half-open.
func TestProbeReportsAtTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(500))
		tr := transport(t, 10, s, breaker(httpclient.Breaker{MinRequests: 1, Probes: 1, OpenFor: time.Second}))
		do(tr, get(t.Context()))
		time.Sleep(2 * time.Second)
		s.become(answering(200))
		resp := must(tr.RoundTrip(get(t.Context())))
		defer resp.Body.Close()
		if got := only(t, tr).Breaker.State; got != gobreaker.StateClosed {
			t.Errorf("state %v with the body open", got)
		}
	})
}

// The places may be taken for long yet, by bodies that are being read.
func TestOpeningBreakerFlushesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(slow(time.Second, 200))
		tr := transport(t, 2, s, breaker(httpclient.Breaker{MinRequests: 2, OpenFor: time.Hour}))
		defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
		s.become(slow(time.Second, 500))
		start := time.Now()
		failed := make(chan *http.Response)
		go func() { failed <- must(tr.RoundTrip(get(context.Background()))) }()
		synctest.Wait()
		errs := make(chan error, 100)
		for range cap(errs) {
			go func() {
				req, body := post(context.Background())
				_, err := do(tr, req)
				if !body.closed.Load() {
					t.Error("request body not closed")
				}
				errs <- err
			}()
		}
		defer (<-failed).Body.Close()
		for range cap(errs) {
			if err := <-errs; !errors.Is(err, httpclient.ErrBreakerOpen) {
				t.Error(err)
			}
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("refused after %v, want 1s", d)
		}
		if got := only(t, tr); got.Limiter.Queued != 0 || got.Limiter.InFlight != 2 || got.Breaker.Refused != 100 {
			t.Errorf("%+v", got)
		}
	})
}

// Another host's breaker is another matter.
func TestBreakersArePerHost(t *testing.T) {
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host == "ill.example" {
			return response(req, 500), nil
		}
		return response(req, 200), nil
	}), breaker(httpclient.Breaker{MinRequests: 1}))
	to := func(host string) error {
		req := get(t.Context())
		req.URL = &url.URL{Scheme: "https", Host: host}
		_, err := do(tr, req)
		return err
	}
	to("ill.example")
	if err := to("ill.example"); !errors.Is(err, httpclient.ErrBreakerOpen) {
		t.Error(err)
	}
	if err := to("well.example"); err != nil {
		t.Error(err)
	}
}
