// Package compare tells two results of the harness apart: what has changed
// between them, whether chance alone would do that, and whether it is for the
// worse.
package compare

import (
	"fmt"
	"math"
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/statistics"
)

// A Delta is one figure of one policy in two results. Its JSON is part of the
// harness's output.
type Delta struct {
	Experiment string `json:"experiment"`
	N          int    `json:"n"`
	Policy     string `json:"policy"` // with its parameters
	Metric     string `json:"metric"`
	Unit       string `json:"unit"`

	Before     float64 `json:"before"` // medians
	After      float64 `json:"after"`
	RunsBefore int     `json:"runs_before"`
	RunsAfter  int     `json:"runs_after"`

	// Change is relative to Before, or for shares of tasks the difference, in
	// which a hundredth is a percentage point.
	Change float64 `json:"change"`
	P      float64 `json:"p"` // by Mann and Whitney's U test

	Significant bool `json:"significant"` // P is below 0.05
	Regression  bool `json:"regression"`  // and it is worse by more than the threshold
	TooFew      bool `json:"too_few"`     // no difference whatever could be significant
	Noisy       bool `json:"noisy"`       // others were busy during some of the runs
}

// A metric is a figure of a run of which less is better.
type metric struct {
	name, unit string
	share      bool // of the tasks: compared by difference
	least      int  // calls that it takes
	of         func(*experiment.Run) float64
}

var metrics = []metric{
	{name: "wall time", unit: "s", of: func(r *experiment.Run) float64 { return r.WallSeconds }},
	{name: "not succeeded", share: true, of: func(r *experiment.Run) float64 {
		return 1 - float64(r.Counts.Succeeded)/float64(r.N)
	}},
	{name: "call p50", unit: "ms", of: func(r *experiment.Run) float64 { return r.Latency.P50 }},
	{name: "call p99", unit: "ms", least: 100, of: func(r *experiment.Run) float64 { return r.Latency.P99 }},
}

// key is what must be the same in both results.
type key struct {
	experiment, policy, runtime, params string
	n                                   int
}

// Documents compares what both have, in the order of the first, and returns the
// rest as words. threshold is the relative change, or the difference between
// shares of tasks, above which what is worse is a regression.
func Documents(before, after *report.Document, threshold float64) (deltas []Delta, missing []string) {
	old, _ := byKey(before)
	now, order := byKey(after)
	_, oldOrder := byKey(before)
	for _, k := range oldOrder {
		if _, ok := now[k]; !ok {
			missing = append(missing, k.named(old[k])+" is only in the first")
			continue
		}
		deltas = append(deltas, compareRuns(old[k], now[k], threshold)...)
	}
	for _, k := range order {
		if _, ok := old[k]; !ok {
			missing = append(missing, k.named(now[k])+" is only in the second")
		}
	}
	return deltas, missing
}

// named is what k is of, with the parameters of the policy: they are all that tells
// one limit from another.
func (k key) named(runs []*experiment.Run) string {
	return report.Name(k.experiment, k.n) + ", " + nameOf(runs[0])
}

func nameOf(r *experiment.Run) string {
	name := r.Label
	if name == "" {
		name = r.Policy
	}
	if r.Runtime != "" {
		name += " (" + r.Runtime + ")"
	}
	return name
}

// byKey sorts complete runs by what they are runs of.
func byKey(d *report.Document) (of map[key][]*experiment.Run, order []key) {
	of = map[key][]*experiment.Run{}
	for _, r := range d.Runs {
		if r.Interrupted {
			continue
		}
		k := key{r.Experiment, r.Policy, r.Runtime, fmt.Sprint(r.Params), r.N}
		if of[k] == nil {
			order = append(order, k)
		}
		of[k] = append(of[k], r)
	}
	return of, order
}

func compareRuns(before, after []*experiment.Run, threshold float64) (deltas []Delta) {
	first := after[0]
	noisy := func(r *experiment.Run) bool { return r.Noisy }
	for _, m := range metrics {
		if first.N < m.least {
			continue
		}
		a, b := values(before, m.of), values(after, m.of)
		d := Delta{
			Experiment: first.Experiment, N: first.N, Policy: nameOf(first), Metric: m.name, Unit: m.unit,
			Before: statistics.Median(a), After: statistics.Median(b), RunsBefore: len(a), RunsAfter: len(b),
			P:     statistics.PValue(a, b),
			Noisy: slices.ContainsFunc(before, noisy) || slices.ContainsFunc(after, noisy),
		}
		d.TooFew = statistics.LeastP(len(a), len(b)) >= 1-statistics.Confidence
		d.Significant = d.P < 1-statistics.Confidence
		switch {
		case m.share:
			d.Change = d.After - d.Before
		case d.Before > 0:
			d.Change = d.After/d.Before - 1
		}
		d.Regression = d.Significant && d.Change > threshold
		deltas = append(deltas, d)
	}
	return deltas
}

func values(runs []*experiment.Run, of func(*experiment.Run) float64) (v []float64) {
	for _, r := range runs {
		if x := of(r); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	return v
}

// Cautions are reasons why the two results may differ for other causes than the
// program.
func Cautions(before, after *report.Document) (cautions []string) {
	a, b := before.Environment, after.Environment
	for _, c := range []struct {
		what        string
		first, then any
	}{
		{"the CPU", a.CPU, b.CPU},
		{"the number of cores", a.Cores, b.Cores},
		{"GOMAXPROCS", a.GOMAXPROCS, b.GOMAXPROCS},
		{"the version of Go", a.Go, b.Go},
		{"the system", a.OS + "/" + a.Arch, b.OS + "/" + b.Arch},
		{"GOGC", a.GOGC, b.GOGC},
		{"the seed, and with it the work,", a.Seed, b.Seed},
	} {
		if c.first != c.then {
			cautions = append(cautions, fmt.Sprintf("%s is not the same: %v, then %v", c.what, c.first, c.then))
		}
	}
	return append(cautions, farSides(before, after)...)
}

// farSides are the experiments that ran against something else the second time: an
// origin with other flags, or a stand-in in place of a server. What is worse then
// need not be the program's doing.
func farSides(before, after *report.Document) (cautions []string) {
	told := map[string]bool{}
	for _, r := range after.Runs {
		if told[r.Experiment] {
			continue
		}
		i := slices.IndexFunc(before.Runs, func(b *experiment.Run) bool { return b.Experiment == r.Experiment })
		if i >= 0 && before.Runs[i].Against != r.Against {
			told[r.Experiment] = true
			cautions = append(cautions, fmt.Sprintf("what %s runs against is not the same: %s, then %s", r.Experiment, before.Runs[i].Against, r.Against))
		}
	}
	return cautions
}
