package httpclient

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestQuotasOf(t *testing.T) {
	now := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		header map[string]string
		want   []quota
	}{
		"nothing": {nil, nil},
		"IETF": {
			map[string]string{"RateLimit": `"default";r=50;t=30`, "RateLimit-Policy": `"default";q=100;w=60;pk=:dHJ1bms6:`},
			[]quota{{"default", 100, time.Minute, 50, 30 * time.Second}},
		},
		"IETF, two policies": {
			map[string]string{"RateLimit": `"a;,b";r=5;t=1, "day";r=900;t=3600`, "RateLimit-Policy": `"a;,b";q=10;w=1,"day";q=1000;w=86400`},
			[]quota{{"a;,b", 10, time.Second, 5, time.Second}, {"day", 1000, 24 * time.Hour, 900, time.Hour}},
		},
		"IETF, a quotation mark in a name": {map[string]string{"RateLimit": `"a\",b";r=5;t=1, "c";r=9;t=1`}, []quota{{`a\",b`, 0, 0, 5, time.Second}, {"c", 0, 0, 9, time.Second}}},
		"IETF, no time":                    {map[string]string{"RateLimit": `"x";r=50`}, nil},
		"IETF, window as time":             {map[string]string{"RateLimit": `"x";r=50`, "RateLimit-Policy": `"x";q=100;w=60`}, []quota{{"x", 100, time.Minute, 50, time.Minute}}},
		"seventh draft":                    {map[string]string{"RateLimit": "limit=100, remaining=50, reset=30"}, []quota{{"", 100, 0, 50, 30 * time.Second}}},
		"older drafts":                     {map[string]string{"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "50", "RateLimit-Reset": "30"}, []quota{{"", 100, time.Minute, 50, 30 * time.Second}}},
		"GitHub":                           {map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "1748779260"}, []quota{{"", 5000, 0, 4999, time.Minute}}},
		"GitHub, its clock an hour late": {
			map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1748775660", "Date": now.Add(-time.Hour).Format(http.TimeFormat)},
			[]quota{{"", 5000, 0, 0, time.Minute}},
		},
		"long past":    {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000000001"}, []quota{{}}},
		"Twitter":      {map[string]string{"x-rate-limit-limit": "15", "x-rate-limit-remaining": "14", "x-rate-limit-reset": "900"}, []quota{{"", 15, 0, 14, 15 * time.Minute}}},
		"from a cache": {map[string]string{"RateLimit": `"default";r=0;t=30`, "Age": "7"}, nil},
		"negative":     {map[string]string{"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "30"}, nil},
		"not a number": {map[string]string{"X-RateLimit-Remaining": "NaN", "X-RateLimit-Reset": "30"}, nil},
		"nonsense":     {map[string]string{"RateLimit": `";;;=,"`, "RateLimit-Policy": `"`}, nil},
	} {
		h := http.Header{}
		for k, v := range test.header {
			h.Set(k, v)
		}
		got := quotasOf(h, now)
		if len(got) != len(test.want) {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: %+v, want %+v", name, got[i], test.want[i])
			}
		}
	}
}

// Whatever a server says, what is read of it is sane, and a pacer that hears of
// it lets a request start in time.
func FuzzQuotasAreSaneAndNeverStopTheHost(f *testing.F) {
	f.Add(`"default";r=50;t=30`, `"default";q=100;w=60`, "", "", "", "")
	f.Add("limit=100, remaining=0, reset=1e99", "", "", "", "", "")
	f.Add("", "", "5000", "0", "99999999999", "Sun, 06 Nov 1994 08:49:37 GMT")
	f.Add("", "", "0", "0", "0", "")
	f.Fuzz(func(t *testing.T, ietf, policy, limit, remaining, reset, date string) {
		h := http.Header{"Date": {date}}
		if ietf != "" {
			h["Ratelimit"], h["Ratelimit-Policy"] = []string{ietf}, []string{policy}
		}
		h["X-Ratelimit-Limit"], h["X-Ratelimit-Remaining"], h["X-Ratelimit-Reset"] = []string{limit}, []string{remaining}, []string{reset}
		quotas := quotasOf(h, time.Now())
		if len(quotas) > maxQuotas {
			t.Fatalf("%d quotas", len(quotas))
		}
		for _, q := range quotas {
			if !(q.left >= 0 && q.limit >= 0) || q.reset < 0 || q.window < 0 || math.IsInf(q.left+q.limit, 0) {
				t.Fatalf("%+v", q)
			}
		}
		p := &pacing{longest: time.Minute}
		p.hear(evidence{quotas: quotas, refused: true})
		s := limiter.State{Now: time.Second}
		for range 5 {
			for i := 0; ; i++ {
				_, wait := p.Next(s)
				if _, again := p.Next(s); again != wait {
					t.Fatalf("asked twice: %v, %v", wait, again)
				}
				if wait <= 0 {
					break
				}
				if i > 10_000 || wait > time.Minute {
					t.Fatalf("a wait of %v after %d questions: %+v", wait, i, quotas)
				}
				s.Now += wait
			}
			p.Start(s)
			p.Report(s, limiter.Result{Outcome: limiter.Success})
		}
	})
}

func FuzzClassifyTakesAnything(f *testing.F) {
	f.Add(200, "", false)
	f.Add(-1, "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=ENHANCE_YOUR_CALM, debug=\"\"", true)
	f.Add(503, "net/http: invalid method", true)
	f.Fuzz(func(t *testing.T, code int, text string, fails bool) {
		resp, err := &http.Response{StatusCode: code}, error(nil)
		if fails {
			resp, err = nil, errors.New(text)
		}
		o := Classify(resp, err)
		if o > limiter.Cancelled {
			t.Fatalf("outcome %d", o)
		}
		if !fails && code < 400 && o != limiter.Success {
			t.Errorf("%d is %v", code, o)
		}
		if Retryable(resp, err) && (!fails && o == limiter.Success && code != 425 || o == limiter.Cancelled) {
			t.Errorf("retried: %d %q, which is %v", code, text, o)
		}
		_ = verdictOf(o, resp)
	})
}

func TestGoAwayAndLostConnectionsAreSignals(t *testing.T) {
	for text, want := range map[string]limiter.Outcome{
		`http2: server sent GOAWAY and closed the connection; LastStreamID=7, ErrCode=NO_ERROR, debug=""`:          limiter.Overdue,
		`http2: server sent GOAWAY and closed the connection; LastStreamID=7, ErrCode=ENHANCE_YOUR_CALM, debug=""`: limiter.Refused,
		"http2: client connection lost": limiter.Overdue,
		"something else":                limiter.Failed,
	} {
		if got := Classify(nil, errors.New(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func FuzzPatterns(f *testing.F) {
	f.Add("*.example.com:8443", "a.example.com", "8443")
	f.Add("example.com", "example.com", "")
	f.Fuzz(func(t *testing.T, text, name, port string) {
		p, ok := parsePattern(text)
		if ok && p.match(key{name, port}) && !p.below && name != p.name {
			t.Errorf("%q matches %q", text, name)
		}
		if ok && (p.name == "" || strings.Contains(p.name, "*")) {
			t.Errorf("%q was taken as %+v", text, p)
		}
	})
}
