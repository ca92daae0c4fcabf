package httpclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// Until the body has been closed the far side is still at work, and the connection
// not free: who came before would dial another.
func TestPlaceIsGivenBackBeforeTheBodyIsClosed(t *testing.T) {
	var tr *httpclient.Transport
	closing := closer(func() error { wantInFlight(t, tr, 1); return nil })
	tr = transport(t, 1, with(func(r *http.Response) { r.Body = closing }))
	must(tr.RoundTrip(get(t.Context()))).Body.Close()
	wantInFlight(t, tr, 0)
}

// closer is an empty body that is closed by a function.
type closer func() error

func (closer) Read([]byte) (int, error) { return 0, io.EOF }
func (c closer) Close() error           { return c() }

// An attempt that has run out of its own time is the host's doing, also if the caller
// gives up before the Base has said so.
func TestCallerIsBlamedForAnAttemptThatTimedOutBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			cancel()
			return nil, context.Cause(req.Context())
		}), func(c *httpclient.Config) { c.AttemptTimeout = time.Second / 2 })
		if _, err := tr.RoundTrip(get(ctx)); !errors.Is(err, httpclient.ErrAttemptTimeout) {
			t.Error(err)
		}
		if s := only(t, tr); s.Limiter.Outcomes.Overdue != 1 || s.Breaker.Counts.TotalFailures != 1 {
			t.Errorf("outcomes %+v, breaker %+v, want one overdue and one failure", s.Limiter.Outcomes, s.Breaker.Counts)
		}
	})
}

// A caller's context may say nothing of the deadline that it has, as one does that was
// made to pass on the end of another. That is not our MaxWait.
func TestMaxWaitIsBlamedForADeadlineThatNobodySpokeOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 1, answering(200), func(c *httpclient.Config) { c.MaxWait = time.Minute })
		defer must(tr.RoundTrip(get(t.Context()))).Body.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := tr.RoundTrip(get(silent{ctx}))
		var r *limiter.RejectedError
		if !errors.As(err, &r) || r.Reason != limiter.Deadline {
			t.Errorf("%v, want the reason %v", err, limiter.Deadline)
		}
	})
}

// A silent context does not say when it will end.
type silent struct{ context.Context }

func (silent) Deadline() (time.Time, bool) { return time.Time{}, false }

// Who has given up while the answer was under way wants no other: it would cost the
// host's budget, and the answer that there is.
func TestRetryForACallerWhoHasGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		cancel()
		return response(req, 503), nil
	}), retries(3))
	if code, err := do(tr, get(ctx)); code != 503 || err != nil {
		t.Errorf("%d, %v, want the answer that there is", code, err)
	}
	if s := only(t, tr); s.Retries != 0 {
		t.Errorf("%d retries", s.Retries)
	}
}

// The name of a media type may be in any case, and have parameters.
func TestEventStreamIsKnownByOneSpellingOnly(t *testing.T) {
	for kind, want := range map[string]bool{
		"text/event-stream": true, "Text/Event-Stream ; charset=utf-8": true, "text/event-streams": false, "": false,
	} {
		resp := &http.Response{Header: http.Header{"Content-Type": {kind}}}
		if got := httpclient.EventStream(resp); got != want {
			t.Errorf("%q: %v, want %v", kind, got, want)
		}
	}
}
