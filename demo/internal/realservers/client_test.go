package realservers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// A client is what calls a server: bare, or wrapped with a policy.
type client struct {
	name   string
	policy func() limiter.Policy // nil: bare
	config httpclient.Config
}

var (
	bare     = client{name: "bare"}
	adaptive = client{name: "adaptive", policy: func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) }}
)

func fixed(n int) client {
	return client{name: fmt.Sprint("fixed ", n), policy: func() limiter.Policy { return limiter.Fixed(n) }}
}

// A tally is how the calls of a client have ended.
type tally struct {
	ok, refused, failed, rejected int
	connections                   int64
	took                          time.Duration
	latencies                     []time.Duration // of those that are ok
	limit                         int
}

func (r *tally) calls() int { return r.ok + r.refused + r.failed + r.rejected }

func (r *tally) quantile(q float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[int(q*float64(len(r.latencies)-1))]
}

// load has callers make calls one after the other, so many each, and checks what must
// hold for every client: a call that was answered was done once, and one that was
// refused or rejected never.
func load(t *testing.T, c client, url string, o *origin, callers, each int) *tally {
	t.Helper()
	var dialled atomic.Int64
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost, base.MaxIdleConns = 256, 0
	base.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // a certificate made for this test, on loopback
	base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	defer base.CloseIdleConnections()
	var rt http.RoundTripper = base
	var wrapped *httpclient.Transport
	if c.policy != nil {
		config := c.config
		config.Base, config.Policy = base, func(string) limiter.Policy { return c.policy() }
		var err error
		if wrapped, err = httpclient.NewTransport(config); err != nil {
			t.Fatal(err)
		}
		rt = wrapped
	}

	// So that it is known whether the server speaks HTTP/2: until then each call dials.
	if _, _, err := get(rt, url, t.Name()+"/"+c.name+"/first"); err != nil {
		t.Fatal(err)
	}
	r := &tally{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for caller := range callers {
		wg.Go(func() {
			for i := range each {
				call := fmt.Sprintf("%s/%s/%d/%d", t.Name(), c.name, caller, i)
				code, latency, err := get(rt, url, call)
				done := o.times(call)
				mu.Lock()
				switch {
				case errors.Is(err, limiter.ErrRejected):
					r.rejected++
				case err != nil:
					r.failed++
				case code == http.StatusOK:
					r.ok++
					r.latencies = append(r.latencies, latency)
				default:
					r.refused++
				}
				mu.Unlock()
				switch {
				case err == nil && code == http.StatusOK && done != 1:
					t.Errorf("%s was answered and done %d times", call, done)
				case err == nil && code != http.StatusOK && done != 0, errors.Is(err, limiter.ErrRejected) && done != 0, done > 1:
					t.Errorf("%s ended with %d, %v, and was done %d times", call, code, err, done)
				}
			}
		})
	}
	wg.Wait()
	r.took, r.connections = time.Since(began), dialled.Load()
	slices.Sort(r.latencies)
	if r.calls() != callers*each {
		t.Errorf("%d calls ended of %d", r.calls(), callers*each)
	}
	if wrapped != nil {
		for _, h := range wrapped.Stats().Hosts {
			r.limit = h.Limiter.Limit
			if h.Limiter.InFlight != 0 || h.Limiter.Queued != 0 ||
				int(h.Limiter.Admitted-h.Limiter.Outcomes.Ignored) != 1+r.calls()-r.rejected { // ignored: a place given back to wait for a quota
				t.Errorf("at the end: %+v, of %d calls", h.Limiter, r.calls())
			}
		}
	}
	return r
}

// get makes one call.
func get(rt http.RoundTripper, url, call string) (code int, latency time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Call", call)
	began := time.Now()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, time.Since(began), err
}
