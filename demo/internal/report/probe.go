package report

import (
	"fmt"
	"io"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/probe"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

// Probe writes a probe: what was measured, what it did to the endpoint, and
// last the limit to use.
func Probe(w io.Writer, s Style, r *probe.Result) {
	if len(r.Points) > 0 {
		fmt.Fprintln(w)
		sweepTable(w, s, &sweep.Result{Points: r.Points, Knee: r.Knee})
		fmt.Fprintln(w)
	}
	failed := fmt.Sprintf("%d failed", r.Failed)
	if r.Failed > 0 {
		failed = s.bad(fmt.Sprintf("%d failed (%.3g %%)", r.Failed, 100*float64(r.Failed)/float64(max(1, r.Calls))))
	}
	paragraph(w, fmt.Sprintf("%s calls in %.1f s, %s. Caps: %d at once, %.0f/s, %s requests, %v.",
		grouped(r.Calls), r.Seconds, failed, r.Caps.Concurrency, r.Caps.Rate, grouped(r.Caps.Requests), r.Caps.Time))
	stopped := "Stopped: " + r.Stopped + "."
	if r.Harm != "" {
		stopped = s.bad(stopped)
		if r.RetryAfter > 0 {
			stopped += fmt.Sprintf(" It asks to be left alone for %v.", time.Duration(r.RetryAfter*float64(time.Second)))
		}
	}
	paragraph(w, stopped)
	if r.Limit == 0 {
		return
	}
	why := "four times the p99"
	if r.Timeout <= probe.LeastTimeout.Seconds() {
		why = "the least to recommend, as four times the p99 is no more"
	}
	paragraph(w, fmt.Sprintf("Recommended: limit %d, rate %.0f/s (90 %% of the best goodput), timeout %v (%s).",
		r.Limit, r.Rate, time.Duration(r.Timeout*float64(time.Second)).Round(time.Millisecond), why))
	fmt.Fprintf(w, `
  l := limiter.New(limiter.All(limiter.Fixed(%d), limiter.Rate(%.0f, %d)))
  client := &http.Client{}
  client.Transport, err = httpclient.NewTransport(httpclient.Config{
  	Limiter:        func(host string) *limiter.Limiter { return l },
  	AttemptTimeout: %d * time.Millisecond,
  })

%s
`, r.Limit, max(1, r.Rate), max(1, r.Limit), int(1000*r.Timeout),
		s.good(fmt.Sprintf("use limit = %d (%d…%d), because %s", r.Limit, r.From, r.To, r.Because+sweep.Doubt(r.Points, r.Interrupted))))
}
