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

// Many programs ask a host once when they start, for a token perhaps, and in earnest
// long after. The limit knows as little of the host then as it did at first.
func TestBreakerOpensWhenManyRequestsComeForTheFirstTime(t *testing.T) {
	for _, places := range []int64{1, 2, 4, 6} {
		t.Run(fmt.Sprintf("%d places", places), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := must(httpclient.NewTransport(httpclient.Config{Base: withPlaces(places, http.StatusServiceUnavailable)}))
				do(tr, get(t.Context()))
				time.Sleep(time.Minute)
				ok, notSent := callFor(t, tr, time.Second)
				if notSent > 0 {
					t.Errorf("%d answered, %d not sent, breaker opened %d times", ok, notSent, only(t, tr).Breaker.Opened)
				}
			})
		})
	}
}

// What a cold start is spared must not spare a host that only refuses, whether one
// asks it or many, in its first second or later.
func TestBreakerStaysClosedForAHostThatRefusesEverything(t *testing.T) {
	for name, test := range map[string]struct {
		callers int
		least   time.Duration
		most    time.Duration
	}{
		"one caller": {1, 0, 20 * time.Millisecond},
		"many":       {64, time.Second, 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := transport(t, 10, withPlaces(0, http.StatusServiceUnavailable))
				start := time.Now()
				var wg sync.WaitGroup
				for range test.callers {
					wg.Go(func() {
						for time.Since(start) < time.Minute {
							if _, err := do(tr, get(t.Context())); err != nil {
								break
							}
						}
					})
				}
				wg.Wait()
				if d := time.Since(start); d < test.least || d > test.most {
					t.Errorf("it opened after %v, want from %v to %v", d, test.least, test.most)
				}
			})
		})
	}
}

// Three probes at once never all succeed with a host that has two places, so a breaker
// that an outage has opened stays open for ever.
func TestBreakerNeverClosesForAHostWithFewerPlacesThanProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(http.StatusInternalServerError))
		tr := must(httpclient.NewTransport(httpclient.Config{Base: s}))
		time.AfterFunc(time.Second, func() { s.become(withPlaces(2, http.StatusServiceUnavailable)) })
		ok, _ := callFor(t, tr, time.Minute)
		if opened := only(t, tr).Breaker.Opened; opened != 1 {
			t.Errorf("it opened %d times, want once, in the outage", opened)
		}
		if most := int64(2 * 50 * 1000 / 11); ok < most/2 {
			t.Errorf("%d answered in 50 s, of %d that the host can do", ok, most)
		}
	})
}
