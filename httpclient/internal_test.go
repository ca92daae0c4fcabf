package httpclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, test := range []struct {
		after, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{" 7 ", "", 7 * time.Second},
		{"0", "", 0},
		{"-7", "", 0},
		{"-99999999999999999999", "", 0},
		{"60", "", time.Minute},
		{"61", "", time.Minute},
		{"31536000", "", time.Minute},
		{"9223372037", "", time.Minute}, // overflows as nanoseconds
		{"9223372036854775807", "", time.Minute},
		{"99999999999999999999", "", time.Minute}, // overflows as a number
		{"1.5", "", 0},
		{"soon", "", 0},
		{date(9 * time.Second), "", 9 * time.Second},
		{date(-9 * time.Second), "", 0},
		{date(24 * 365 * 200 * time.Hour), "", time.Minute},
		{now.Add(9 * time.Second).Format(time.RFC850), "", 9 * time.Second},
		{now.Add(9 * time.Second).Format(time.ANSIC), "", 9 * time.Second},
		// A server whose clock is an hour late.
		{date(-time.Hour + 9*time.Second), date(-time.Hour), 9 * time.Second},
		{date(9 * time.Second), "nonsense", 9 * time.Second},
	} {
		h := http.Header{}
		h.Set("Retry-After", test.after)
		h.Set("Date", test.date)
		if got := retryAfter(h, now, time.Minute); got != test.want {
			t.Errorf("Retry-After %q at %q: %v, want %v", test.after, test.date, got, test.want)
		}
	}
}

// Who has just seen the breaker half-open, as the probe before it failed and opened it
// again, must not keep the only right to probe: no request would get through any more.
func TestProbeThatIsTooLateKeepsOthersFromProbing(t *testing.T) {
	tr, err := NewTransport(Config{Breaker: Breaker{MinRequests: 1}})
	if err != nil {
		t.Fatal(err)
	}
	_, h := tr.newHost(key{"example.com", "80"})
	first, err := h.admit()
	if err != nil {
		t.Fatal(err)
	}
	first.report(errFailure)
	h.breaker.state.Store(int32(gobreaker.StateHalfOpen)) // what was seen a moment ago
	if _, err := h.admit(); !errors.Is(err, ErrBreakerOpen) || h.breaker.probing.Load() {
		t.Errorf("%v, and the right to probe is taken: %v", err, h.breaker.probing.Load())
	}
}

// A breaker that has opened and closed begins anew: the refusals before say nothing of
// those that come with the requests that are let through again.
func TestSpellOfRefusalsGoesOnAfterTheBreakerWasOpen(t *testing.T) {
	b := newBreaker(Breaker{Window: time.Minute, OpenFor: time.Second, Probes: 1})
	now := time.Now()
	b.refusedLately(now)
	if d := b.refusedLately(now.Add(5 * time.Second)); d != 5*time.Second {
		t.Errorf("a spell of 5 s has lasted for %v", d)
	}
	b.note("", gobreaker.StateHalfOpen, gobreaker.StateClosed)
	if d := b.refusedLately(now.Add(6 * time.Second)); d != 0 {
		t.Errorf("the first refusal of a closed breaker comes %v after itself", d)
	}
}

func FuzzRetryAfterIsBounded(f *testing.F) {
	f.Add("9223372037", "", int64(time.Minute))
	f.Add("Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", int64(time.Hour))
	f.Fuzz(func(t *testing.T, after, date string, longest int64) {
		if longest < 0 {
			return
		}
		h := http.Header{"Retry-After": {after}, "Date": {date}}
		if d := retryAfter(h, time.Now(), time.Duration(longest)); d < 0 || d > time.Duration(longest) {
			t.Errorf("Retry-After %q, Date %q, at most %v: %v", after, date, time.Duration(longest), d)
		}
	})
}

func TestKeyOf(t *testing.T) {
	for raw, want := range map[string]string{
		"http://Example.COM/a":     "example.com:80",
		"https://example.com":      "example.com:443",
		"HTTPS://example.com:":     "example.com:443",
		"https://example.com:8443": "example.com:8443",
		"http://u:p@example.com/":  "example.com:80",
		"http://[::1]/":            "[::1]:80",
		"https://[FE80::1]:8443/":  "[fe80::1]:8443",
		"file:///etc/hosts":        ":file",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := keyOf(u).String(); got != want {
			t.Errorf("%s is %q, want %q", raw, got, want)
		}
	}
	if got := keyOf(&url.URL{Scheme: "HTTP", Host: "A"}).String(); got != "a:80" {
		t.Errorf("%q", got)
	}
}

func TestUnreadableQuotaHidesTheOneOfAnotherSpelling(t *testing.T) {
	h := http.Header{"Ratelimit": {"what;is=this"}, "X-Ratelimit-Remaining": {"7"}, "X-Ratelimit-Reset": {"30"}}
	if got := quotasOf(h, time.Now()); len(got) != 1 || got[0].left != 7 {
		t.Errorf("%+v", got)
	}
}

// A crawler's URLs may be long, and its hosts many.
func TestHostKeepsAWholeURLInMemory(t *testing.T) {
	tr, err := NewTransport(Config{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse("https://example.com:8443/" + strings.Repeat("long", 1000))
	if err != nil {
		t.Fatal(err)
	}
	asked := keyOf(u)
	e := tr.hosts.Pin(asked)
	defer e.Unpin()
	if e.Key != asked {
		t.Errorf("key %v, want %v", e.Key, asked)
	}
	if unsafe.StringData(e.Key.name) == unsafe.StringData(asked.name) || unsafe.StringData(e.Key.port) == unsafe.StringData(asked.port) {
		t.Error("the key is a part of the URL")
	}
}

// The type is not exported, so the conversion depends on net/http.
func TestStreamErrorOfNetHTTPConverts(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler) // ends the stream with INTERNAL_ERROR, 0x2
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	_, err := s.Client().Get(s.URL)
	var e streamError
	if !errors.As(err, &e) || e.Code != 0x2 {
		t.Errorf("%v does not convert", err)
	}
	for code, want := range map[uint32]limiter.Outcome{
		refusedStream: limiter.Refused, enhanceYourCalm: limiter.Refused, 0x2: limiter.Failed,
	} {
		if got := Classify(nil, fmt.Errorf("wrapped: %w", streamError{Code: code})); got != want {
			t.Errorf("code %#x is %v, want %v", code, got, want)
		}
	}
}
