package report

import (
	"math"
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/statistics"
)

// A Row sums up the runs of one policy in one experiment.
type Row struct {
	Policy string
	Label  string // with the parameters
	Runs   int    // complete ones, unless there are none

	Wall           Spread // seconds
	Floor          float64
	Counts         experiment.Counts // of the run with the median of those that succeeded
	N              int
	Runtime        string                 // as in [experiment.Run]
	Calls          experiment.Percentiles // of all runs together
	SinceSubmitted experiment.Percentiles
	CallLatencies  *experiment.Latencies // what the percentiles are of
	SinceLatencies *experiment.Latencies
	Measured       int // calls in the percentiles
	MeanInFlight   float64
	Little         *float64 // the residual that is furthest from 0; nil if none could tell
	Peak           int
	MemoryAdded    int64
	Connections    int
	Goroutines     int
	LastLimit      *int // where a searching policy ended

	Chosen      bool // a parameter is the user's choice
	AsInPost    bool // the tasks are those of the post, in as many batches
	StandIn     bool
	Noisy       bool
	Interrupted bool // all of its runs were cut short
	Cut         int  // runs that were cut short
	Left        int  // goroutines left behind by any of the runs
	Predictions []*experiment.Prediction
	All         []*experiment.Run
}

// A Spread is the median of some numbers, and the least and greatest. Interval
// is what the median of many more numbers would lie in.
type Spread struct {
	Median, Min, Max float64
	Interval         statistics.Interval
}

// Rows sums up runs of one experiment with one number of tasks, a row for each
// policy in the order of the tables.
func Rows(runs []*experiment.Run) []Row {
	var rows []Row
	for _, policy := range policiesOf(runs) {
		for _, runtime := range runtimesOf(runs) {
			var of []*experiment.Run
			for _, r := range runs {
				if r.Policy == policy && r.Runtime == runtime {
					of = append(of, r)
				}
			}
			if len(of) > 0 {
				rows = append(rows, newRow(of))
			}
		}
	}
	return rows
}

// policiesOf are the policies of runs: first those that are known, in the order
// of the tables, and then those of a newer version whose file this may be.
func policiesOf(runs []*experiment.Run) []string {
	names := slices.Clone(experiment.PolicyNames)
	for _, r := range runs {
		if !slices.Contains(names, r.Policy) {
			names = append(names, r.Policy)
		}
	}
	return names
}

func runtimesOf(runs []*experiment.Run) []string {
	names := []string{""}
	for _, r := range runs {
		if !slices.Contains(names, r.Runtime) {
			names = append(names, r.Runtime)
		}
	}
	return names
}

func newRow(all []*experiment.Run) Row {
	// A run that the user cut short says nothing of how long it takes.
	runs := slices.DeleteFunc(slices.Clone(all), func(r *experiment.Run) bool { return r.Interrupted })
	interrupted := len(runs) == 0
	if interrupted {
		runs = all
	}
	first, last := runs[0], runs[len(runs)-1]
	var calls, since []*experiment.Latencies
	row := Row{
		Policy: first.Policy, Label: first.Label, Runtime: first.Runtime, Runs: len(runs), N: first.N,
		Floor: first.FloorSeconds, StandIn: first.StandIn, Interrupted: interrupted, All: runs, Chosen: first.Chosen,
	}
	for _, r := range all {
		if r.Interrupted {
			row.Cut++
		}
	}
	_, spread := first.Params[experiment.ParamSpread]
	row.AsInPost = !spread && (row.Policy != experiment.Batch || !row.Chosen)
	for _, r := range runs {
		calls, since = append(calls, r.Calls), append(since, r.CallsSinceSubmitted)
		row.Noisy = row.Noisy || r.Noisy
		row.Left = max(row.Left, r.GoroutinesLeft)
		row.Predictions = append(row.Predictions, r.Prediction)
	}
	if k := len(last.Timeline); k > 0 {
		row.LastLimit = last.Timeline[k-1].Limit
	}
	of := func(f func(*experiment.Run) float64) Spread { return spreadOf(runs, f) }
	whole := func(f func(*experiment.Run) int) int {
		return int(of(func(r *experiment.Run) float64 { return float64(f(r)) }).Median)
	}
	row.Wall = of(func(r *experiment.Run) float64 { return r.WallSeconds })
	row.Counts = middle(runs)
	row.MeanInFlight = of(func(r *experiment.Run) float64 { return r.MeanInFlight }).Median
	for _, r := range runs {
		// Not the median of them: it would hide a run that is wrong among some
		// that are right.
		if l := r.LittleResidual; l != nil && (row.Little == nil || math.Abs(*l) > math.Abs(*row.Little)) {
			row.Little = l
		}
	}
	row.Peak = whole(func(r *experiment.Run) int { return r.PeakInFlight })
	row.Goroutines = whole(func(r *experiment.Run) int { return r.PeakGoroutines })
	row.Connections = whole(func(r *experiment.Run) int { return r.ConnectionsOpened })
	row.MemoryAdded = int64(whole(func(r *experiment.Run) int {
		return int(max(0, r.PeakMemoryBytes-r.MemoryBeforeBytes))
	}))
	row.CallLatencies, row.SinceLatencies = experiment.MergedLatencies(calls...), experiment.MergedLatencies(since...)
	row.Calls, row.Measured = row.CallLatencies.Percentiles(), row.CallLatencies.Count()
	row.SinceSubmitted = row.SinceLatencies.Percentiles()
	return row
}

// middle is the counts of the run in the middle by how many tasks succeeded. They
// are those of one run, so that they add up to the tasks: medians of each count by
// itself do not.
func middle(runs []*experiment.Run) experiment.Counts {
	sorted := slices.SortedStableFunc(slices.Values(runs), func(a, b *experiment.Run) int {
		return a.Counts.Succeeded - b.Counts.Succeeded
	})
	return sorted[(len(sorted)-1)/2].Counts
}

// bounds are the ends of the interval, or of what was measured if that was too
// little for one.
func (s Spread) bounds() (low, high float64) {
	if s.Interval.Known() {
		return s.Interval.Low, s.Interval.High
	}
	return s.Min, s.Max
}

// spreadOf orders the numbers that f finds. The median of an even number of
// them is the lower of the middle two: a number that was measured.
func spreadOf(runs []*experiment.Run, f func(*experiment.Run) float64) Spread {
	var v []float64
	for _, r := range runs {
		v = append(v, f(r))
	}
	slices.Sort(v)
	return Spread{v[(len(v)-1)/2], v[0], v[len(v)-1], statistics.MedianInterval(v)}
}

// Whole reports whether every task succeeded in every run of the row. The
// median would hide those runs in which some did not.
func (r Row) Whole() bool {
	return !r.Interrupted && !slices.ContainsFunc(r.All, func(run *experiment.Run) bool { return run.Counts.Succeeded < run.N })
}

// TimesFloor is the wall time in units of the least possible.
func (r Row) TimesFloor() float64 { return r.Wall.Median / r.Floor }

// find returns the row of a policy that this program has run.
func find(rows []Row, policy string) (Row, bool) {
	for _, r := range rows {
		if r.Policy == policy && r.Runtime == "" && !r.Interrupted {
			return r, true
		}
	}
	return Row{}, false
}

// findOther returns the row of a policy that another program has run.
func findOther(rows []Row, policy string) (Row, bool) {
	for _, r := range rows {
		if r.Policy == policy && r.Runtime != "" && !r.Interrupted {
			return r, true
		}
	}
	return Row{}, false
}
