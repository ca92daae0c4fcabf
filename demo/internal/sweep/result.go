package sweep

import (
	"fmt"
	"math"
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
)

// A Result is a whole sweep. Its JSON is part of the harness's output, schema 1:
// fields may be added, and none changes its meaning.
type Result struct {
	Against       string  `json:"against"` // what was called
	Share         float64 `json:"share"`   // of the best goodput that is enough
	Seed          uint64  `json:"seed"`
	Rounds        int     `json:"rounds"`
	Max           int     `json:"max"`
	WindowSeconds float64 `json:"window_seconds"`

	Points []Point `json:"points"` // in order of the limit

	Knee *knee.Knee `json:"knee"` // null if too little was measured
	// Kneedle is the knee after Satopaa and others, 0 for none.
	Kneedle int           `json:"kneedle"`
	USL     *knee.USL     `json:"usl"`
	Regions *knee.Regions `json:"regions"`
	// Law is best goodput × timeout: with more in flight, calls time out.
	Law float64 `json:"law,omitempty"`

	Known *Known `json:"known,omitempty"`

	Interrupted  bool               `json:"interrupted"`
	Measurements []load.Measurement `json:"measurements"` // in the order in which they were made
}

// A Point sums up all measurements with one limit.
type Point struct {
	Limit   int     `json:"limit"`
	Goodput float64 `json:"goodput"` // the median
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	Rounds  int     `json:"rounds"`
	// Share is that of the best goodput, as the rule has it: the median of the
	// rounds' shares. 0 if too little was measured.
	Share  float64           `json:"share,omitempty"`
	Counts experiment.Counts `json:"counts"` // of all rounds together
	// P50 and P99 are medians over the rounds, in milliseconds.
	P50        float64  `json:"p50_ms"`
	P99        float64  `json:"p99_ms"`
	Little     float64  `json:"little"`      // the median
	ForeignCPU *float64 `json:"foreign_cpu"` // the greatest
	Noisy      bool     `json:"noisy"`       // in any of the rounds
}

// Known is the true answer for an origin whose parameters are known.
type Known struct {
	Capacity float64 `json:"capacity"` // per second
	// Knee follows from the parameters alone.
	Knee int `json:"knee"`
	// Overhead is what a lone call takes above the service and the network, in
	// milliseconds, and KneeHere the knee with it: the true one for callers on
	// this machine.
	Overhead float64 `json:"overhead_ms"`
	KneeHere int     `json:"knee_here"`
	// Inside and HereInside say whether the two are in the measured interval.
	Inside     bool `json:"inside"`
	HereInside bool `json:"here_inside"`
}

func (r *Result) points() []knee.Point { return CurveOf(r.Measurements) }

// CurveOf arranges measurements as package knee wants them, in order of the
// limit.
func CurveOf(measurements []load.Measurement) []knee.Point {
	rounds := 0
	byLimit := map[int][]load.Measurement{}
	for _, m := range measurements {
		rounds = max(rounds, m.Round+1)
		byLimit[m.Limit] = append(byLimit[m.Limit], m)
	}
	var points []knee.Point
	for limit, ms := range byLimit {
		p := knee.Point{Limit: limit, Goodput: make([]float64, rounds)}
		for i := range p.Goodput {
			p.Goodput[i] = math.NaN()
		}
		for _, m := range ms {
			p.Goodput[m.Round] = m.Goodput
		}
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b knee.Point) int { return a.Limit - b.Limit })
	return points
}

// Conclude returns the result of measurements that were made elsewhere.
func Conclude(measurements []load.Measurement) *Result {
	r := &Result{Share: knee.Share, Measurements: measurements}
	r.conclude()
	return r
}

// conclude draws what there is to say from the measurements.
func (r *Result) conclude() {
	r.Points = Summarise(r.Measurements)
	points := r.points()
	k, err := knee.Find(points)
	if err != nil {
		return
	}
	r.Knee = &k
	r.Kneedle, _ = knee.Kneedle(points)
	if u, err := knee.FitUSL(points); err == nil {
		r.USL = &u
	}
	regions := knee.FindRegions(points, k)
	for _, p := range slices.Backward(r.Points) {
		if p.failed() > failing {
			regions.FailingFrom = p.Limit
		}
	}
	r.Regions = &regions
}

// failing is the share of calls above which failures are no exception.
const failing = 0.01

// failed is the share of calls that did not succeed.
func (p Point) failed() float64 {
	return 1 - float64(p.Counts.Succeeded)/float64(max(1, p.Counts.Sum()))
}

// FailedAt is the share of the calls that failed with the limit that is the answer, or
// with the next larger one that was measured.
func (r *Result) FailedAt() float64 {
	for _, p := range r.Points {
		if p.Limit >= r.Knee.Limit {
			return p.failed()
		}
	}
	return 0
}

// Summarise sums up measurements, a point for each limit, in order.
func Summarise(measurements []load.Measurement) []Point {
	points := []Point{} // a list and not null, for those who read the JSON
	curve := CurveOf(measurements)
	shares := knee.Shares(curve)
	for _, p := range curve {
		var ms []load.Measurement
		for _, m := range measurements {
			if m.Limit == p.Limit {
				ms = append(ms, m)
			}
		}
		point := newPoint(ms)
		point.Share = shares[p.Limit]
		points = append(points, point)
	}
	return points
}

func newPoint(ms []load.Measurement) Point {
	middle := func(of func(load.Measurement) float64) (median, least, most float64) {
		var v []float64
		for _, m := range ms {
			v = append(v, of(m))
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2, v[0], v[len(v)-1]
	}
	p := Point{Limit: ms[0].Limit, Rounds: len(ms)}
	p.Goodput, p.Least, p.Most = middle(func(m load.Measurement) float64 { return m.Goodput })
	p.P50, _, _ = middle(func(m load.Measurement) float64 { return m.Latency.P50 })
	p.P99, _, _ = middle(func(m load.Measurement) float64 { return m.Latency.P99 })
	p.Little, _, _ = middle(func(m load.Measurement) float64 { return m.Little })
	for _, m := range ms {
		p.Counts.Merge(m.Counts)
		p.Noisy = p.Noisy || m.Noisy
		if m.ForeignCPU != nil && (p.ForeignCPU == nil || *m.ForeignCPU > *p.ForeignCPU) {
			p.ForeignCPU = m.ForeignCPU
		}
	}
	return p
}

// Compare holds the answer against the true one of w, whose delay is that of
// the network alone.
func (r *Result) Compare(w knee.Network) {
	if r.Knee == nil {
		return
	}
	i := slices.IndexFunc(r.Points, func(p Point) bool { return p.Limit == 1 })
	if i < 0 {
		return
	}
	known := &Known{Capacity: w.Capacity(), Knee: w.Knee()}
	alone := 1 / r.Points[i].Goodput // seconds, by Little's law
	here := w
	if over := alone - (w.Service + w.Delay).Seconds(); over > 0 {
		known.Overhead = 1000 * over
		here.Delay += seconds(over)
	}
	known.KneeHere = here.Knee()
	inside := func(limit int) bool { return r.Knee.From <= limit && limit <= r.Knee.To }
	known.Inside, known.HereInside = inside(known.Knee), inside(known.KneeHere)
	r.Known = known
}

// Because says in some words why the limit is the answer.
func (r *Result) Because() string {
	k := r.Knee
	text := fmt.Sprintf("it is the smallest with %.0f %% of the best goodput, %.0f/s", 100*r.Share, k.Best)
	if k.Open {
		text += fmt.Sprintf(", which still grew at the largest limit measured, %d", r.Points[len(r.Points)-1].Limit)
	}
	if share := r.FailedAt(); share > failing {
		text += fmt.Sprintf(", although %.0f %% of the calls fail there", 100*share)
	}
	return text + Doubt(r.Points, r.Interrupted)
}

// Doubt is what an answer from these points must not go without, and empty if there is
// nothing.
func Doubt(points []Point, interrupted bool) string {
	switch {
	case interrupted:
		return "; but it was interrupted before it was sure"
	case slices.ContainsFunc(points, func(p Point) bool { return p.Noisy }):
		return "; but other programs were busy meanwhile, so run it again before you believe it"
	}
	return ""
}
