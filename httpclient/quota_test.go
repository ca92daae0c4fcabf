package httpclient_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// A quotaServer is a Base that answers 429 to what is above a quota per window.
type quotaServer struct {
	quota   float64
	window  time.Duration
	burst   float64 // 0: fixed windows, else a bucket of that size
	latency time.Duration
	say     func(h http.Header, s *quotaServer, left float64, reset time.Duration)

	mu          sync.Mutex
	start, last time.Time
	left        float64
	ok, refused int
}

func (s *quotaServer) RoundTrip(req *http.Request) (*http.Response, error) {
	closeBody(req)
	time.Sleep(s.latency / 2)
	resp := response(req, 200)
	s.mu.Lock()
	now := time.Now()
	if s.start.IsZero() {
		s.start, s.last, s.left = now, now, s.quota
		if s.burst > 0 {
			s.left = s.burst
		}
	}
	reset := s.window - now.Sub(s.start)%s.window
	switch {
	case s.burst > 0:
		s.left = math.Min(s.burst, s.left+now.Sub(s.last).Seconds()*s.quota/s.window.Seconds())
		reset = time.Duration((s.burst - s.left) / s.quota * float64(s.window))
	case now.Sub(s.start)/s.window > s.last.Sub(s.start)/s.window:
		s.left = s.quota
	}
	s.last = now
	if s.left >= 1 {
		s.left--
		s.ok++
	} else {
		s.refused++
		resp = response(req, 429)
	}
	if s.say != nil {
		s.say(resp.Header, s, math.Floor(s.left), reset)
	}
	s.mu.Unlock()
	time.Sleep(s.latency / 2)
	return resp, nil
}

// seconds rounds up, as servers do.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func sayIETF(h http.Header, s *quotaServer, left float64, reset time.Duration) {
	h.Set("RateLimit-Policy", fmt.Sprintf(`"default";q=%v;w=%v`, s.quota, s.window.Seconds()))
	h.Set("RateLimit", fmt.Sprintf(`"default";r=%v;t=%d`, left, seconds(reset)))
}

func sayGitHub(h http.Header, s *quotaServer, left float64, reset time.Duration) {
	h.Set("X-RateLimit-Limit", fmt.Sprint(s.quota))
	h.Set("X-RateLimit-Remaining", fmt.Sprint(left))
	now := time.Now().AddDate(30, 0, 0) // its clock is wrong
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	h.Set("X-RateLimit-Reset", fmt.Sprint(now.Add(reset+time.Second-1).Unix()))
}

func sayRetryAfter(h http.Header, s *quotaServer, left float64, _ time.Duration) {
	if left == 0 {
		h.Set("Retry-After", "1")
	}
}

// load has callers send requests one after the other until ctx ends.
func load(ctx context.Context, rt http.RoundTripper, callers int) {
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := do(rt, get(ctx)); err != nil {
					time.Sleep(time.Second) // told at once that it cannot make it
				}
			}
		})
	}
	wg.Wait()
}

// The bar is at most 5 % of the calls refused and at least 97 % of the quota used.
// It holds where a call is short beside the windows; at 50 ms, and where the rate has
// to be found, a per cent or two goes with the beginning. The bounds leave room for
// the order of the answers, which is chance.
func TestQuotaIsKeptBeforeTheServerEnforcesIt(t *testing.T) {
	adaptive := func(string) limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) }
	fifty := func(string) limiter.Policy { return limiter.Fixed(50) }
	bySecond := func(burst float64, say func(http.Header, *quotaServer, float64, time.Duration)) *quotaServer {
		return &quotaServer{quota: 500, window: time.Second, burst: burst, say: say}
	}
	for name, test := range map[string]struct {
		server  *quotaServer
		goodput float64
		finding bool // the client must find out by itself
	}{
		"IETF headers, windows":             {bySecond(0, sayIETF), 0.96, false},
		"IETF headers, small bucket":        {bySecond(50, sayIETF), 0.97, false},
		"IETF headers, large bucket":        {bySecond(500, sayIETF), 0.97, false},
		"X-RateLimit, windows":              {&quotaServer{quota: 10_000, window: 20 * time.Second, say: sayGitHub}, 0.96, true},
		"nothing said, small bucket":        {bySecond(50, nil), 0.95, true},
		"nothing said, large bucket":        {bySecond(500, nil), 0.97, true},
		"nothing said, windows":             {bySecond(0, nil), 0.93, true},
		"only Retry-After, large bucket":    {bySecond(500, sayRetryAfter), 0.97, true},
		"IETF headers, a quota by the hour": {&quotaServer{quota: 10_000, window: time.Hour, say: sayIETF}, 8, false}, // half of it at once
	} {
		for _, latency := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond} {
			if testing.Short() && latency != 20*time.Millisecond {
				continue
			}
			for pname, policy := range map[string]func(string) limiter.Policy{"adaptive": adaptive, "fixed": fifty} {
				t.Run(fmt.Sprintf("%s/%v/%s", name, latency, pname), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						d := 30 * time.Second
						if test.finding {
							d *= 2
						}
						m := test.server
						s := &quotaServer{quota: m.quota, window: m.window, burst: m.burst, say: m.say, latency: latency}
						tr := must(httpclient.NewTransport(httpclient.Config{Base: s, Policy: policy}))
						ctx, stop := context.WithTimeout(t.Context(), d)
						defer stop()
						load(ctx, tr, 400)
						goodput := float64(s.ok) / (s.quota * d.Seconds() / s.window.Seconds())
						refused := float64(s.refused) / float64(s.ok+s.refused)
						t.Logf("goodput %.1f %% of the quota, %.2f %% of the calls refused", 100*goodput, 100*refused)
						if goodput < test.goodput || refused > 0.06 {
							t.Errorf("goodput %.1f %% of the quota, %.2f %% of the calls refused", 100*goodput, 100*refused)
						}
					})
				})
			}
		}
	}
}

// Requests with a bypass report and never ask.
func TestBypassDoesNotFillTheMemoryOfAPacer(t *testing.T) {
	s := &quotaServer{quota: 1e6, window: time.Hour, say: sayIETF}
	tr := must(httpclient.NewTransport(httpclient.Config{Base: s}))
	ctx := httpclient.WithBypass(t.Context())
	for range 1000 {
		do(tr, get(ctx))
	}
	if n := httpclient.Heard(tr); n > 256 {
		t.Errorf("%d pieces of evidence are kept", n)
	}
}

// Who waits for a place of the host as its server speaks of a quota for the first time
// must not go past the queue that the quota has brought about.
func TestWhoWaitsAsThePacerComesGoesPastIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			at = append(at, time.Since(start))
			time.Sleep(time.Second)
			resp := response(req, 200)
			resp.Header.Set("RateLimit-Policy", `"default";q=1;w=30`)
			resp.Header.Set("RateLimit", `"default";r=0;t=30`)
			return resp, nil
		}))
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { do(tr, get(t.Context())) })
		}
		wg.Wait()
		if len(at) != 2 || at[1] < 30*time.Second {
			t.Errorf("requests at %v, though the first answer says that none is left for 30 s", at)
		}
	})
}

// The answer to a request with a bypass tells of a quota, too. Were all requests ever
// taken for on their way when it was sent, there would seem to be none left.
func TestAnswerToABypassIsTakenForTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 60
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			left--
			resp := response(req, 200)
			resp.Header.Set("RateLimit-Policy", `"default";q=100;w=60`)
			resp.Header.Set("RateLimit", fmt.Sprintf(`"default";r=%d;t=60`, left))
			return resp, nil
		}))
		for range 6 {
			do(tr, get(t.Context()))
		}
		do(tr, get(httpclient.WithBypass(t.Context())))
		start := time.Now()
		do(tr, get(t.Context()))
		if wait := time.Since(start); wait != 0 {
			t.Errorf("the next waits for %v, though half of the quota is left for bursts", wait)
		}
	})
}

// A 429 that a quota explains says nothing of how many requests the host can do at once.
func TestQuotaThatIsUsedUpLowersTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			resp := response(req, 429)
			resp.Header.Set("RateLimit", `"default";r=0;t=1`)
			return resp, nil
		}))
		do(tr, get(t.Context()))
		if o := only(t, tr).Limiter.Outcomes; o.Refused != 0 || o.Failed != 1 {
			t.Errorf("the limiter has heard of %+v", o)
		}
	})
}
