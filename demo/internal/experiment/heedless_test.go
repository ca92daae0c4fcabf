package experiment

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/limiter"
)

// busy refuses every request and asks to be left alone.
type busy struct{}

func (busy) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"3"}}, Body: http.NoBody, Request: req,
	}, nil
}

// With a quota "unbounded" had 263 of 500 tasks in flight and took 4 s: the client
// paused for it, as it should for every other policy.
func TestUnboundedDoesNotPauseAfterARefusal(t *testing.T) {
	for name, want := range map[string]time.Duration{Unbounded: 0, Fixed: 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			h := &HTTP{config: origin.Config{Workers: 8, Service: 10 * time.Millisecond, Quota: 400}, timeout: time.Second}
			p := mustPolicy(t, h, name, 500, Choices{})
			client, err := h.client(&trial{n: 500, policy: p, limiter: limiter.New(p.New())}, busy{})
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			for range 2 {
				resp, err := client.Get("http://127.0.0.1:1/")
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
			if got := time.Since(begin); got < want || got > want+want/2 {
				t.Errorf("%s: the second call was made %v after the first had been refused, want %v", name, got, want)
			}
		})
	}
}

func TestWhoPausesIsSaidWhereThereAreRefusals(t *testing.T) {
	c := origin.Config{Workers: 8, Service: 10 * time.Millisecond}
	if about := (&HTTP{config: c}).About(); strings.Contains(about, "Retry-After") {
		t.Error(about)
	}
	c.Queue = 50
	if about := (&HTTP{config: c}).About(); !strings.Contains(about, "every policy but unbounded pauses") {
		t.Error(about)
	}
}
