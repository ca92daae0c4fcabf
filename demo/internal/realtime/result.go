package realtime

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Result is what a policy achieved in a phase of a story.
type Result struct {
	Story  string  `json:"story"`
	Phase  string  `json:"phase"`
	Policy string  `json:"policy"`
	Long   float64 `json:"seconds"`

	OK        int64 `json:"ok"`
	Refused   int64 `json:"refused"` // by the origin: 429, 503
	Overdue   int64 `json:"overdue"`
	Failed    int64 `json:"failed"`
	Cancelled int64 `json:"cancelled"` // by the end of the run

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
	ok, refused, overdue, failed, cancelled int64
	latencies                               *hdrhistogram.Histogram // of ok, in microseconds
}

// Latencies beyond a minute count as one; no call lasts longer.
func newTally() *tally {
	return &tally{latencies: hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)}
}

func (t *tally) add(other *tally) {
	t.ok += other.ok
	t.refused += other.refused
	t.overdue += other.overdue
	t.failed += other.failed
	t.cancelled += other.cancelled
	t.latencies.Merge(other.latencies)
}

func (t *tally) fill(r *Result) {
	r.OK, r.Refused, r.Overdue, r.Failed, r.Cancelled = t.ok, t.refused, t.overdue, t.failed, t.cancelled
	r.Goodput = float64(t.ok) / math.Max(r.Long, 1e-9)
	if t.ok > 0 {
		r.P50 = time.Duration(t.latencies.ValueAtQuantile(50)) * time.Microsecond
		r.P99 = time.Duration(t.latencies.ValueAtQuantile(99)) * time.Microsecond
	}
}
