package otelmetrics_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// spans sends one request that succeeds at the second attempt and one that is
// rejected, and returns the spans. Those that there are tell what a place in the
// stack is good for.
func spans(t *testing.T, inside, outside bool) tracetest.SpanStubs {
	t.Helper()
	recorder := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(recorder))
	traced := func(rt http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(rt, otelhttp.WithTracerProvider(provider))
	}
	attempt := 0
	var base http.RoundTripper = roundTrip(func(req *http.Request) (*http.Response, error) {
		attempt++
		if attempt == 1 {
			return answering(http.StatusBadGateway)(req)
		}
		return answering(http.StatusOK)(req)
	})
	if inside {
		base = traced(base)
	}
	l := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
	transport, err := httpclient.NewTransport(httpclient.Config{
		Base: base, Limiter: func(string) *limiter.Limiter { return l },
		Retry: httpclient.Retry{Attempts: 3, MinBackoff: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	var whole http.RoundTripper = transport
	if outside {
		whole = traced(whole)
	}
	if err := send(t, whole, "GET", "http://a.example/"); err != nil {
		t.Fatal(err)
	}
	held, ok := l.TryAcquire()
	if !ok {
		t.Fatal("the place has not been given back")
	}
	defer held.Release()
	if err := send(t, whole, "GET", "http://a.example/"); !errors.Is(err, limiter.ErrRejected) {
		t.Fatalf("want a rejection, got %v", err)
	}
	return recorder.GetSpans()
}

func TestOtelhttpInsideSeesWhatWasNeverSent(t *testing.T) {
	all := spans(t, true, false)
	if len(all) != 2 {
		t.Fatalf("%d spans, want one for each attempt and none for the rejection", len(all))
	}
	if all[0].Status.Code != codes.Error || all[1].Status.Code == codes.Error {
		t.Errorf("status %v and %v, want that of each attempt", all[0].Status, all[1].Status)
	}
}

func TestOtelhttpOutsideHidesARejection(t *testing.T) {
	all := spans(t, false, true)
	if len(all) != 2 {
		t.Fatalf("%d spans, want one for each request", len(all))
	}
	if all[0].Status.Code == codes.Error || all[1].Status.Code != codes.Error {
		t.Errorf("status %v and %v, want success after a retry, and an error", all[0].Status, all[1].Status)
	}
}

func TestOtelhttpTwiceMakesSpansThatDoNotBelongTogether(t *testing.T) {
	all := spans(t, true, true)
	if len(all) != 4 {
		t.Fatalf("%d spans, want two attempts, their request, and the rejected one", len(all))
	}
	children := map[string]int{}
	for _, span := range all {
		if span.Parent.IsValid() {
			if span.Parent.TraceID() != span.SpanContext.TraceID() {
				t.Error("the span of an attempt is in another trace than its request")
			}
			children[span.Parent.SpanID().String()]++
		}
	}
	if len(children) != 1 {
		t.Fatalf("children by parent: %v, want two attempts of one request", children)
	}
	for parent, n := range children {
		if n != 2 {
			t.Errorf("%d attempts below the span %s, want 2", n, parent)
		}
	}
}
