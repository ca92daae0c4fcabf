package httpclient_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tidegate-go/tidegate/httpclient"
)

func TestLogTellsOfChangesAndNeverOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		s := serving(answering(200))
		tr := must(httpclient.NewTransport(httpclient.Config{
			Base: s, Logger: zap.New(core), Breaker: httpclient.Breaker{MinRequests: 3, Probes: 1},
		}))
		request := func() {
			req := get(t.Context())
			req.URL.User = nil
			req.Header.Set("Authorization", "Bearer token")
			do(tr, req)
		}
		for range 1000 {
			request()
		}
		if n := logs.Len(); n > 1 { // a change of the limit
			t.Errorf("%d lines for 1000 good requests", n)
		}
		s.become(answering(500))
		time.Sleep(11 * time.Second) // what was good is out of the window
		for range 1000 {
			request()
		}
		s.become(answering(200))
		time.Sleep(6 * time.Second)
		request()
		var lines []string
		for _, e := range logs.All() {
			lines = append(lines, fmt.Sprint(e.Message, e.ContextMap()))
		}
		text := strings.Join(lines, "\n")
		for _, want := range []string{"circuit breaker opened", "circuit breaker half-open", "circuit breaker closed", "request rejected", "example.com:80"} {
			if strings.Count(text, want) < 1 {
				t.Errorf("no %q in the log", want)
			}
		}
		for _, secret := range []string{"secret", "query", "path", "Bearer", "token"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
		if n := strings.Count(text, "request rejected"); n != 1 {
			t.Errorf("997 rejections at one moment made %d lines", n)
		}
		if t.Failed() {
			t.Log(text)
		}
	})
}

func TestLogTellsOfLimitsAndPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		tr := must(httpclient.NewTransport(httpclient.Config{
			Base: roundTripper(func(req *http.Request) (*http.Response, error) {
				time.Sleep(time.Millisecond)
				resp := response(req, 503)
				resp.Header.Set("Retry-After", "1")
				return resp, nil
			}),
			Logger: zap.New(core), Breaker: httpclient.Breaker{Disabled: true},
		}))
		for range 20 {
			do(tr, get(t.Context()))
		}
		changed := logs.FilterMessage("limit changed").All()
		if len(changed) == 0 {
			t.Fatal("twenty refusals did not change the limit, or it was not logged")
		}
		if m := changed[0].ContextMap(); m["host"] != "example.com:80" || m["reason"] == "" || m["from"] == m["to"] {
			t.Error(m)
		}
		if logs.FilterMessage("paused by Retry-After").Len() == 0 {
			t.Error("no word of the pause")
		}
	})
}

// Callers that give up while they wait do so by the thousand, and on purpose.
func TestLogIsSilentAboutCallersThatGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.Logger = zap.New(core) })
		defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := tr.RoundTrip(get(ctx)); err == nil || logs.Len() != 0 {
			t.Errorf("error %v, %d lines", err, logs.Len())
		}
	})
}

// gobreaker calls back with its mutex held; a logger that looked at the
// statistics from there would hang.
func TestLoggerMayUseTheTransport(t *testing.T) {
	var tr *httpclient.Transport
	calls := 0
	core, _ := observer.New(zap.InfoLevel)
	logger := zap.New(core).WithOptions(zap.Hooks(func(zapcore.Entry) error {
		calls++
		tr.Stats()
		return nil
	}))
	tr = transport(t, 1, answering(500), func(c *httpclient.Config) {
		c.Logger, c.Breaker.MinRequests = logger, 1
	})
	do(tr, get(t.Context()))
	if calls != 1 {
		t.Errorf("logged %d times, want once", calls)
	}
}
