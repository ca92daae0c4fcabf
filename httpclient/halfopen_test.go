package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/httpclient"
)

// Stale results close a half-open breaker with a peer: those of requests that
// were sent before it opened.
func TestStaleResultsSayNothingToAHalfOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(slow(10*time.Second, 200)) // the answer comes when the breaker is half-open
		tr := transport(t, 10, s, breaker(httpclient.Breaker{MinRequests: 2, Probes: 1, OpenFor: 5 * time.Second, FailureRatio: 0.1}))
		go do(tr, get(t.Context()))
		synctest.Wait()
		s.become(answering(500))
		for range 2 {
			do(tr, get(t.Context()))
		}
		time.Sleep(7 * time.Second)
		s.become(slow(time.Minute, 200))
		go do(tr, get(t.Context())) // the probe
		synctest.Wait()
		if got := only(t, tr).Breaker.State; got != gobreaker.StateHalfOpen {
			t.Fatalf("state %v, want half-open", got)
		}
		time.Sleep(5 * time.Second)
		if got := only(t, tr).Breaker.State; got != gobreaker.StateHalfOpen {
			t.Errorf("state %v after a stale success, want half-open", got)
		}
	})
}

func TestOpenBreakersOfManyClientsDoNotProbeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times := map[time.Duration]bool{}
		for range 20 {
			tr := transport(t, 1, answering(500), breaker(httpclient.Breaker{MinRequests: 1, OpenFor: 5 * time.Second}))
			do(tr, get(t.Context()))
			_, err := do(tr, get(t.Context()))
			var b *httpclient.BreakerError
			if !errors.As(err, &b) || b.RetryIn < 5*time.Second || b.RetryIn > 6*time.Second {
				t.Fatalf("%v", err)
			}
			times[b.RetryIn] = true
		}
		if len(times) < 10 {
			t.Errorf("20 breakers open for %d different times", len(times))
		}
	})
}

// The breaker may open after a request has found it closed and before it is among those
// who wait, whom the opening tells.
func TestWhoBeginsToWaitAsTheBreakerOpensWaitsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(200))
		tr := transport(t, 1, s, breaker(httpclient.Breaker{MinRequests: 1, FailureRatio: 0.01, OpenFor: time.Hour}))
		defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
		s.become(answering(500))
		opens := func() { do(tr, get(httpclient.WithBypass(context.Background()))) }
		_, err := do(tr, get(meddling{t.Context(), sync.OnceFunc(opens)}))
		if !errors.Is(err, httpclient.ErrBreakerOpen) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// A meddling context does something when a Limiter asks it for the priority, which it
// does right before the call is put into the queue.
type meddling struct {
	context.Context
	act func()
}

func (m meddling) Value(key any) any {
	if fmt.Sprintf("%T", key) == "limiter.priorityKey" {
		m.act()
	}
	return m.Context.Value(key)
}
