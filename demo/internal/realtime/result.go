package realtime

import (
	"math"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// A Result is what a policy achieved in a phase of a story.
type Result struct {
	Story  string  `json:"story"`
	Phase  string  `json:"phase"`
	Policy string  `json:"policy"`
	Long   float64 `json:"seconds"`

	OK        int `json:"ok"`
	Refused   int `json:"refused"` // by the origin: 429, 503
	Overdue   int `json:"overdue"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"` // by the end of the run

	Goodput float64       `json:"goodput"` // OK per second
	P50     time.Duration `json:"p50"`     // of OK, in flight, as all times in nanoseconds
	P99     time.Duration `json:"p99"`

	Limit    float64 `json:"limit"`     // mean, of all clients together
	LimitEnd int     `json:"limit_end"` // the last
	Best     int     `json:"best"`      // the best fixed limit of the phase, as computed

	// In units of what the run with the best fixed limits achieved; 0 if there is
	// none to compare with.
	Share float64 `json:"share"`
	P50x  float64 `json:"p50_x"`
	P99x  float64 `json:"p99_x"`

	Interrupted bool `json:"interrupted,omitempty"`
}

// compare fills in what is relative to the run with the best fixed limits.
func (r *Result) compare(best *Result) {
	if best.Goodput > 0 && best.P50 > 0 {
		r.Share = r.Goodput / best.Goodput
		r.P50x = float64(r.P50) / float64(best.P50)
		r.P99x = float64(r.P99) / float64(best.P99)
	}
}

// A tally counts during one phase. It is guarded by its client's mutex.
type tally struct {
	counts    experiment.Counts
	latencies *experiment.Latencies // of those that succeeded
}

func newTally() *tally { return &tally{latencies: experiment.MergedLatencies()} }

func (t *tally) add(other *tally) {
	t.counts.Merge(other.counts)
	t.latencies.Merge(other.latencies)
}

func (t *tally) fill(r *Result) {
	c, p := t.counts, t.latencies.Percentiles()
	r.OK, r.Refused, r.Overdue, r.Failed, r.Cancelled = c.Succeeded, c.Refused, c.TimedOut, c.Failed, c.Cancelled
	r.Goodput = float64(r.OK) / math.Max(r.Long, 1e-9)
	r.P50 = time.Duration(math.Round(p.P50 * float64(time.Millisecond)))
	r.P99 = time.Duration(math.Round(p.P99 * float64(time.Millisecond)))
}
