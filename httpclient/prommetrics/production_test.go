package prommetrics_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate-go/tidegate/httpclient/prommetrics"
	"github.com/tidegate-go/tidegate/limiter"
)

// The dashboard and the alerts of docs/production.md live by these names.
func TestProductionNamesASeriesThatDoesNotExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	tr := transport(t, withQuota("r=5;t=1"), limiter.Fixed(7))
	get(t, tr, "http://a.example/")
	get(t, tr, "http://a.example/") // which the quota of the first answer paces
	registry := prometheus.NewRegistry()
	registry.MustRegister(prommetrics.Transport(tr, prommetrics.Config{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range families {
		name := f.GetName()
		known[name] = true
		for _, m := range f.GetMetric() {
			if m.GetSummary() != nil || m.GetHistogram() != nil {
				known[name+"_sum"], known[name+"_count"] = true, true
			}
			for _, l := range m.GetLabel() {
				known[name+" "+l.GetName()+"="+l.GetValue()] = true
			}
		}
	}
	seen := 0
	for _, m := range regexp.MustCompile(`(tidegate_[a-z_]+)(?:\{(\w+)(?:=~?|!=)"([^"]*)"\})?`).FindAllStringSubmatch(string(text), -1) {
		seen++
		if !known[m[1]] {
			t.Errorf("no %s", m[1])
		}
		if m[2] == "" {
			continue
		}
		for value := range strings.SplitSeq(m[3], "|") {
			if !known[m[1]+" "+m[2]+"="+value] {
				t.Errorf("no %s with %s=%q", m[1], m[2], value)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d names found", seen)
	}
}

// withQuota is what is left of a quota and when it is renewed.
type withQuota string

func (q withQuota) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := answering(200).RoundTrip(req)
	resp.Header.Set("RateLimit", `"requests";`+string(q))
	return resp, err
}

func TestQueueForAQuotaIsHidden(t *testing.T) {
	tr := transport(t, withQuota("r=0;t=60"), limiter.Fixed(7))
	c := prommetrics.Transport(tr, prommetrics.Config{})
	get(t, tr, "http://a.example/")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // not enough, which is known beforehand
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://a.example/", nil)
	if resp, err := tr.RoundTrip(req); err == nil {
		resp.Body.Close()
		t.Error("the quota is used up")
	}
	compare(t, c, `
# HELP tidegate_pacer_queued Requests that wait for the server's quota.
# TYPE tidegate_pacer_queued gauge
tidegate_pacer_queued{host="a.example:80"} 0
# HELP tidegate_pacer_rejected_total Requests that did not get through the queue for the server's quota, by reason.
# TYPE tidegate_pacer_rejected_total counter
tidegate_pacer_rejected_total{host="a.example:80",reason="busy"} 0
tidegate_pacer_rejected_total{host="a.example:80",reason="deadline"} 1
tidegate_pacer_rejected_total{host="a.example:80",reason="evicted"} 0
tidegate_pacer_rejected_total{host="a.example:80",reason="gave_up"} 0
tidegate_pacer_rejected_total{host="a.example:80",reason="max_wait"} 0
tidegate_pacer_rejected_total{host="a.example:80",reason="queue_full"} 0
`, "tidegate_pacer_queued", "tidegate_pacer_rejected_total")
}

// What docs/production.md has for a program with both, and with two of a kind.
func TestCollectorsOfOneProgramCollide(t *testing.T) {
	of := func(what string) prommetrics.Config {
		return prommetrics.Config{Label: "limiter", Constant: prometheus.Labels{"of": what}}
	}
	tr := transport(t, answering(http.StatusOK), limiter.Fixed(7))
	get(t, tr, "http://a.example/")
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		prommetrics.Transport(tr, of("http")),
		prommetrics.Limiter("database", limiter.New(limiter.Fixed(3)), of("database")),
		prommetrics.Limiter("cache", limiter.New(limiter.Fixed(3)), of("cache")),
	)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "tidegate_limit" && len(f.GetMetric()) != 3 {
			t.Errorf("%d limits, want those of the host, the database and the cache", len(f.GetMetric()))
		}
	}
}
