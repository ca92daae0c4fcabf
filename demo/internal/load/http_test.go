package load

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// roundTrip is a transport that is a function, so that trials run in virtual
// time.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, header http.Header) *http.Response {
	w := httptest.NewRecorder()
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	return w.Result()
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestATrialHasSoManyCallsInFlightAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		h := &HTTP{URL: "http://x/", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			return answer(200, nil), wait(r.Context(), 10*time.Millisecond)
		})}
		begin := time.Now()
		m, err := h.Measure(t.Context(), Trial{Limit: 7, Warm: 35 * time.Millisecond, Window: 100 * time.Millisecond})
		if err != nil || most.Load() != 7 {
			t.Errorf("%v, %d in flight, want 7", err, most.Load())
		}
		if m.Goodput < 699.9 || m.Goodput > 700.1 || m.Little < 0.99 || m.Little > 1.01 || m.Latency.P50 != 10 {
			t.Errorf("%+v, want 700/s at 10 ms", m)
		}
		if m.Counts.Succeeded != 70 || m.All.Succeeded != 98 || m.All.Sum() != 98 {
			t.Errorf("%+v of %+v, want 70 of 98", m.Counts, m.All)
		}
		// The calls that were under way when the window ended were waited for.
		if took := time.Since(begin); took != 140*time.Millisecond || now.Load() != 0 {
			t.Errorf("it took %v and left %d calls", took, now.Load())
		}
	})
}

func TestCallersBeginOneAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var mu sync.Mutex
		var starts []time.Duration
		h := &HTTP{URL: "http://x/", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			starts = append(starts, time.Since(begin))
			mu.Unlock()
			return answer(200, nil), wait(r.Context(), time.Second)
		})}
		if _, err := h.Measure(t.Context(), Trial{Limit: 4, Ramp: 400 * time.Millisecond, Window: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		for i, at := range starts {
			if at != time.Duration(i)*100*time.Millisecond {
				t.Errorf("they began at %v", starts)
				break
			}
		}
		if len(starts) != 4 {
			t.Errorf("%d began", len(starts))
		}
	})
}

// The first sign of harm ends a careful trial. Nothing is begun after it.
func TestTheFirstSignOfHarmEndsACarefulTrial(t *testing.T) {
	for _, tt := range []struct {
		name       string
		status     int
		header     http.Header
		err        error
		takes      time.Duration
		harm       string
		retryAfter float64
	}{
		{"refused", 503, http.Header{"Retry-After": {"7"}}, nil, 0, "503 Service Unavailable", 7},
		{"quota", 429, nil, nil, 0, "429 Too Many Requests", 0},
		{"any other status", 302, nil, nil, 0, "302 Found", 0},
		{"broken", 0, nil, errors.New("broken pipe"), 0, "broken pipe", 0},
		{"timed out", 200, nil, nil, 2 * time.Second, "no answer within 1s", 0},
		{"slow", 200, nil, nil, 600 * time.Millisecond, "a call took 600ms, above 500ms", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			h := &HTTP{URL: "http://x/", Timeout: time.Second, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if calls.Add(1) <= 20 {
					return answer(200, nil), wait(r.Context(), 10*time.Millisecond)
				}
				if err := wait(r.Context(), tt.takes); err != nil {
					return nil, err
				}
				if tt.err != nil {
					return nil, tt.err
				}
				return answer(tt.status, tt.header), nil
			})}
			m, err := h.Measure(t.Context(), Trial{Limit: 2, Window: 10 * time.Second, Careful: true, Longest: 500 * time.Millisecond})
			if err != nil || !strings.Contains(m.Harm, tt.harm) || m.RetryAfter != tt.retryAfter {
				t.Errorf("%s: %q, %v, %v", tt.name, m.Harm, m.RetryAfter, err)
			}
			if n := calls.Load(); n > 22 {
				t.Errorf("%s: %d calls after the first sign", tt.name, n-20)
			}
		})
	}
}

func TestCountsOfFailuresAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		h := &HTTP{URL: "http://x/", Timeout: 50 * time.Millisecond, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			switch calls.Add(1) % 4 {
			case 0:
				return answer(503, nil), nil
			case 1:
				return nil, wait(r.Context(), time.Second)
			case 2:
				return nil, net.ErrClosed
			}
			return answer(204, nil), wait(r.Context(), 10*time.Millisecond)
		})}
		m, err := h.Measure(t.Context(), Trial{Limit: 3, Window: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		c := m.All
		if c.Sum() != int(calls.Load()) || c.Refused == 0 || c.TimedOut == 0 || c.Failed == 0 || c.Succeeded == 0 || c.Cancelled != 0 {
			t.Errorf("%+v of %d calls", c, calls.Load())
		}
	})
}

func TestAnInterruptEndsATrialAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h := &HTTP{URL: "http://x/", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return answer(200, nil), wait(r.Context(), time.Minute)
		})}
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		m, err := h.Measure(ctx, Trial{Limit: 5, Window: time.Hour})
		if !errors.Is(err, context.Canceled) || time.Since(begin) != time.Second || m.All.Cancelled != 5 {
			t.Errorf("%v after %v, %+v", err, time.Since(begin), m.All)
		}
	})
}

func TestAdmitEndsATrialWithoutHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		h := &HTTP{
			URL: "http://x/",
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				return answer(200, nil), wait(r.Context(), time.Millisecond)
			}),
			Admit: func(context.Context) error {
				if calls.Add(1) > 10 {
					return errors.New("enough")
				}
				return nil
			},
		}
		m, err := h.Measure(t.Context(), Trial{Limit: 3, Window: time.Second, Careful: true})
		if err != nil || m.Harm != "" || m.All.Succeeded != 10 {
			t.Errorf("%v, %q, %+v", err, m.Harm, m.All)
		}
	})
}

func TestTheHeaderIsSent(t *testing.T) {
	var got http.Header
	var host string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, host = r.Header, r.Host }))
	defer s.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	h := &HTTP{Transport: transport, URL: s.URL, Header: http.Header{"X-Key": {"a"}, "Host": {"example.com"}}}
	if err := h.Call(t.Context()); err != nil || got.Get("X-Key") != "a" || host != "example.com" {
		t.Errorf("%v, %v, %q", err, got, host)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "soon": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// Four callers in step end four calls every 100 ms. Their number over the time
// is 40/s only if the window begins and ends in the right places.
func TestSlopeDoesNotCountABatchTooOftenOrTooRarely(t *testing.T) {
	for shift := range 100 {
		var moments []time.Duration
		for at := time.Duration(shift) * time.Millisecond; at < 550*time.Millisecond; at += 100 * time.Millisecond {
			moments = append(moments, at, at, at, at)
		}
		if got := Slope(moments, 550*time.Millisecond); got < 39.99 || got > 40.01 {
			t.Errorf("shifted by %d ms: %v/s, want 40/s", shift, got)
		}
	}
	if got := Slope(nil, time.Second); got != 0 {
		t.Errorf("nothing: %v/s", got)
	}
	if got := Slope([]time.Duration{1, 1, 1}, time.Second); got != 3 {
		t.Errorf("all at one place: %v/s", got)
	}
}
