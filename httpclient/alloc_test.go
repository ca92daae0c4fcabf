package httpclient_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"

	"github.com/tidegate-go/tidegate/internal/racedetector"
)

func collect() {
	runtime.GC()
	runtime.Gosched()
}

// What a request costs beyond what the Base costs. The numbers are what is
// needed now: gobreaker's callback, and the response with its body.
func TestAllocations(t *testing.T) {
	if racedetector.On {
		t.Skip("the race detector allocates too")
	}
	base := roundTripper(func(req *http.Request) (*http.Response, error) { return empty, nil })
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		r := *empty // one allocation
		r.Body = endless{}
		return &r, nil
	}))
	noBody := transport(t, 1, base)
	req := get(context.Background())
	if n := testing.AllocsPerRun(100, func() {
		resp := must(tr.RoundTrip(req))
		resp.Body.Close()
	}); n > 1+2 {
		t.Errorf("%v allocations, want at most 2 and the base's", n)
	}
	if n := testing.AllocsPerRun(100, func() { must(noBody.RoundTrip(req)) }); n > 1 {
		t.Errorf("%v allocations without a body, want at most 1", n)
	}
}

var empty = &http.Response{StatusCode: 200, Body: http.NoBody}
