package report

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tidegate-go/tidegate/demo/internal/realtime"
)

// A LiveDocument is the whole output of scenario --live.
type LiveDocument struct {
	Schema      int               `json:"schema"`
	Interrupted bool              `json:"interrupted"`
	Results     []realtime.Result `json:"results"`
}

// NewLiveDocument makes one of the results that there are.
func NewLiveDocument(results []realtime.Result, interrupted bool) *LiveDocument {
	return &LiveDocument{Schema: Schema, Interrupted: interrupted, Results: results}
}

// Write writes d as JSON with one result to a line.
func (d *LiveDocument) Write(w io.Writer) error {
	head := *d
	head.Results = []realtime.Result{}
	return writeHeaded(w, head, d.Results)
}

// LiveTable writes what each policy achieved in each phase.
func LiveTable(w io.Writer, s Style, d *LiveDocument) {
	t := newTable(s, "phase", "policy", "goodput /s", "of the best", "p50 ms", "×", "p99 ms", "×", "refused", "overdue", "failed", "limit (last)", "best fixed")
	var last string
	for _, r := range d.Results {
		phase := r.Story + "/" + r.Phase
		if r.Interrupted {
			phase += ", interrupted"
		}
		if r.Story+r.Policy != last && last != "" {
			t.AppendSeparator()
		}
		last = r.Story + r.Policy
		t.AppendRow(table.Row{
			phase, r.Policy, fmt.Sprintf("%.0f", r.Goodput), s.against(r.Share, 0.9, orDash(r.Share, "%.3f")),
			inMillis(r.P50), times(r.P50x), inMillis(r.P99), times(r.P99x),
			r.Refused, r.Overdue, r.Failed, fmt.Sprintf("%.0f (%d)", r.Limit, r.LimitEnd), r.Best,
		})
	}
	render(w, s, "Live: goodput and latency beside a run whose limit is the best fixed one of each phase", t)
}

func inMillis(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return number(float64(d) / 1e6)
}

// LiveScenarios lists those that can be played live.
func LiveScenarios(w io.Writer, s Style, stories []realtime.Story) {
	fmt.Fprintln(w, s.bold("Scenarios for --live"))
	for _, x := range stories {
		fmt.Fprintf(w, "  %-18s %s\n", x.Name, x.About)
	}
}
