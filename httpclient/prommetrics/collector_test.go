package prommetrics_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/httpclient/prommetrics"
	"github.com/tidegate-go/tidegate/limiter"
)

// answering answers every request with a status, or not at all with 0.
type answering int

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	if a == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: int(a), Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

func transport(t *testing.T, base http.RoundTripper, policy limiter.Policy) *httpclient.Transport {
	t.Helper()
	tr, err := httpclient.NewTransport(httpclient.Config{
		Base: base, Policy: func(string) limiter.Policy { return policy },
		Breaker: httpclient.Breaker{MinRequests: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func get(t *testing.T, tr http.RoundTripper, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := tr.RoundTrip(req); err == nil {
		resp.Body.Close()
	}
}

func compare(t *testing.T, c prometheus.Collector, want string, metrics ...string) {
	t.Helper()
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), metrics...); err != nil {
		t.Error(err)
	}
	problems, err := testutil.CollectAndLint(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestHostIsMissingOrMiscounted(t *testing.T) {
	tr := transport(t, answering(http.StatusInternalServerError), limiter.Fixed(7))
	c := prommetrics.Transport(tr, prommetrics.Config{Constant: prometheus.Labels{"client": "billing"}})
	for range 6 { // the breaker opens after the fourth
		get(t, tr, "http://a.example/")
	}
	compare(t, c, `
# HELP tidegate_admitted_total Calls that got a place.
# TYPE tidegate_admitted_total counter
tidegate_admitted_total{client="billing",host="a.example:80"} 4
# HELP tidegate_breaker_opened_total How often the circuit breaker has opened.
# TYPE tidegate_breaker_opened_total counter
tidegate_breaker_opened_total{client="billing",host="a.example:80"} 1
# HELP tidegate_breaker_refused_total Requests that the circuit breaker did not let through.
# TYPE tidegate_breaker_refused_total counter
tidegate_breaker_refused_total{client="billing",host="a.example:80"} 2
# HELP tidegate_breaker_state 1 for the state that the circuit breaker is in.
# TYPE tidegate_breaker_state gauge
tidegate_breaker_state{client="billing",host="a.example:80",state="closed"} 0
tidegate_breaker_state{client="billing",host="a.example:80",state="half-open"} 0
tidegate_breaker_state{client="billing",host="a.example:80",state="open"} 1
# HELP tidegate_limit How many calls may be in flight at once.
# TYPE tidegate_limit gauge
tidegate_limit{client="billing",host="a.example:80"} 7
# HELP tidegate_outcomes_total Calls that have ended, by what they told about the far side.
# TYPE tidegate_outcomes_total counter
tidegate_outcomes_total{client="billing",host="a.example:80",outcome="cancelled"} 0
tidegate_outcomes_total{client="billing",host="a.example:80",outcome="failed"} 4
tidegate_outcomes_total{client="billing",host="a.example:80",outcome="ignored"} 0
tidegate_outcomes_total{client="billing",host="a.example:80",outcome="overdue"} 0
tidegate_outcomes_total{client="billing",host="a.example:80",outcome="refused"} 0
tidegate_outcomes_total{client="billing",host="a.example:80",outcome="success"} 0
`, "tidegate_admitted_total", "tidegate_breaker_opened_total", "tidegate_breaker_refused_total",
		"tidegate_breaker_state", "tidegate_limit", "tidegate_outcomes_total")
}

func TestEachHostOfACrawlerHasItsSeries(t *testing.T) {
	tr := transport(t, answering(http.StatusOK), limiter.Fixed(7))
	c := prommetrics.Transport(tr, prommetrics.Config{Hosts: 2})
	get(t, tr, "http://0.example/")
	if n := testutil.CollectAndCount(c, "tidegate_limit"); n != 1 { // now the name is known
		t.Fatalf("%d series", n)
	}
	for i := range 50 {
		get(t, tr, fmt.Sprintf("http://%d.example/", i))
	}
	if n := testutil.CollectAndCount(c, "tidegate_limit"); n != 3 {
		t.Errorf("%d series of 50 hosts, want 2 and the rest", n)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, f := range families {
		if f.GetName() == "tidegate_admitted_total" {
			for _, m := range f.GetMetric() {
				total += m.GetCounter().GetValue()
			}
		}
	}
	if total != 51 {
		t.Errorf("%v admitted in all, want 51: one series hides some of another", total)
	}
}

func TestUnlimitedHasALimitOfNineQuintillions(t *testing.T) {
	c := prommetrics.Limiter("free", limiter.New(limiter.Unlimited()), prommetrics.Config{})
	if n := testutil.CollectAndCount(c, "tidegate_limit"); n != 0 {
		t.Errorf("%d series for no limit", n)
	}
}

func TestKeyedAndLimiterTellOfBreakersThatTheyDoNotHave(t *testing.T) {
	k := limiter.NewKeyed(10, func(int) *limiter.Limiter { return limiter.New(limiter.Fixed(3)) })
	for key := range 2 {
		p, err := k.Acquire(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Release()
	}
	c := prommetrics.Keyed(k, prommetrics.Config{Label: "shard"})
	compare(t, c, `
# HELP tidegate_in_flight Calls in flight.
# TYPE tidegate_in_flight gauge
tidegate_in_flight{shard="0"} 1
tidegate_in_flight{shard="1"} 1
`, "tidegate_in_flight", "tidegate_breaker_state", "tidegate_retries_total")
}

func TestImpossibleConfigIsTaken(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "Config.Hosts is -1") {
			t.Errorf("%s", text)
		}
	}()
	prommetrics.Limiter("x", limiter.New(limiter.Fixed(1)), prommetrics.Config{Hosts: -1})
}
