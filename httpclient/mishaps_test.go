package httpclient_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
)

// saysOfQuota answers with a quota of which every call takes one.
func saysOfQuota(limit int, left *int, reset func() string) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		resp := response(req, 200)
		*left--
		resp.Header.Set("X-RateLimit-Limit", strconv.Itoa(limit))
		resp.Header.Set("X-RateLimit-Remaining", strconv.Itoa(*left))
		resp.Header.Set("X-RateLimit-Reset", reset())
		return resp, nil
	}
}

// The answer to a call that bypasses the limits says of the quota what any answer
// says. It must not be taken for the first of all.
func TestBypassStopsTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quota = 5000
		left := quota
		tr := transport(t, 10, saysOfQuota(quota, &left, func() string { return "3600" }))
		for range 2 {
			time.Sleep(time.Hour)
			left = quota
			for range 2000 {
				do(tr, get(t.Context()))
			}
		}
		do(tr, get(httpclient.WithBypass(t.Context())))
		start := time.Now()
		do(tr, get(t.Context()))
		do(tr, get(t.Context()))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("with 3000 calls left for an hour, two took %v", took)
		}
	})
}

// A quota of one route, which no other route speaks of, is not the host's.
func TestQuotaOfOneRouteThrottlesTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 10, roundTripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Millisecond)
			resp := response(req, 200)
			if req.URL.Path == "/login" {
				resp.Header.Set("RateLimit-Limit", "5")
				resp.Header.Set("RateLimit-Remaining", "4")
				resp.Header.Set("RateLimit-Reset", "60")
			}
			return resp, nil
		}))
		login := get(t.Context())
		login.URL.Path = "/login"
		do(tr, login)
		for range 10 { // while it learns
			do(tr, get(t.Context()))
		}
		start := time.Now()
		for range 100 {
			do(tr, get(t.Context()))
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("a hundred calls of another route took %v", took)
		}
	})
}

// Some servers say when a quota is renewed in milliseconds since 1970.
func TestResetInMillisecondsIsTakenForAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 46
		tr := transport(t, 10, saysOfQuota(100, &left, func() string {
			return strconv.FormatInt(time.Now().Add(time.Second).UnixMilli(), 10)
		}))
		start := time.Now()
		for range 4 {
			do(tr, get(t.Context()))
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("four calls took %v", took)
		}
	})
}

func TestPanicInRetryIfLeaksThePlaceAndTheBody(t *testing.T) {
	tr := transport(t, 1, answering(503), func(c *httpclient.Config) {
		c.Retry.Attempts = 2
		c.Retry.If = func(*http.Response, error) bool { panic("on purpose") }
	})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = tr.RoundTrip(get(t.Context()))
	}()
	if n := only(t, tr).Limiter.InFlight; n != 0 {
		t.Errorf("%d in flight", n)
	}
}

func TestOneHostHasTwoConfigurations(t *testing.T) {
	_, err := httpclient.NewTransport(httpclient.Config{Base: answering(200), Hosts: map[string]httpclient.HostConfig{
		"example.com": {Limiter: fixed(1)}, "EXAMPLE.com.": {Limiter: fixed(2)},
	}})
	if err == nil {
		t.Error("accepted, and one of them wins by chance")
	}
}

func TestEventStreamIsOverheldThoughItHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.Timeout, c.MaxHold = time.Hour, time.Second })
		resp, err := tr.RoundTrip(get(httpclient.WithReleaseAtHead(context.Background())))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if s := only(t, tr); s.Overheld != 0 || s.AtHead != 1 {
			t.Errorf("%d overheld, %d released at the head", s.Overheld, s.AtHead)
		}
		resp.Body.Close()
	})
}
