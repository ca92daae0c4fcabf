package httpclient_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
)

// withPlaces is a Base with so many places, of 10 ms each, that turns all others away
// at once, as nginx does with limit_conn or max_conns.
func withPlaces(places int64, refusal int) roundTripper {
	var inside atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		time.Sleep(time.Millisecond) // on the way
		defer inside.Add(-1)
		if inside.Add(1) > places {
			return response(req, refusal), nil
		}
		time.Sleep(10 * time.Millisecond)
		return response(req, http.StatusOK), nil
	}
}

// callFor has 64 callers send requests for d. Who meets an open breaker comes again
// after 100 ms.
func callFor(t *testing.T, tr *httpclient.Transport, d time.Duration) (ok, notSent int64) {
	var good, bad atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range 64 {
		wg.Go(func() {
			for time.Since(start) < d {
				code, err := do(tr, get(t.Context()))
				switch {
				case errors.Is(err, httpclient.ErrBreakerOpen):
					bad.Add(1)
					time.Sleep(100 * time.Millisecond)
				case code == http.StatusOK:
					good.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return good.Load(), bad.Load()
}

// Until the first answers come, after 11 ms, all that is known of a host that is well
// are the refusals of the few requests that were too many for it.
func TestBreakerOpensAtAColdStartAgainstAHostThatRefusesAtOnce(t *testing.T) {
	for _, places := range []int64{2, 4, 6} {
		for _, refusal := range []int{http.StatusServiceUnavailable, http.StatusBadGateway} {
			t.Run(fmt.Sprintf("%d places, %d", places, refusal), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					tr := must(httpclient.NewTransport(httpclient.Config{Base: withPlaces(places, refusal)}))
					ok, notSent := callFor(t, tr, time.Second)
					if notSent > 0 {
						t.Errorf("%d answered, %d not sent, breaker opened %d times", ok, notSent, only(t, tr).Breaker.Opened)
					}
				})
			})
		}
	}
}

// Three probes at once never all succeed with a host that has two places, so a breaker
// that is open stays open for ever.
func TestBreakerNeverClosesForAHostWithFewerPlacesThanProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := must(httpclient.NewTransport(httpclient.Config{Base: withPlaces(2, http.StatusServiceUnavailable)}))
		ok, _ := callFor(t, tr, time.Minute)
		if most := int64(2 * 60 * 1000 / 11); ok < most/2 {
			t.Errorf("%d answered in a minute, of %d that the host can do; breaker opened %d times", ok, most, only(t, tr).Breaker.Opened)
		}
	})
}
