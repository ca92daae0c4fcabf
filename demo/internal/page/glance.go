package page

import (
	"fmt"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// A glance is one line of the table at the top: what the post did, and what did
// best of all.
type glance struct {
	ID, Name, Tasks string
	AllAtOnce       outcome
	Batches         outcome
	Best            outcome // of those under which every task succeeded
}

// An outcome is how one policy did.
type outcome struct {
	Policy string // set where it is not said by the column
	Colour string
	Time   string
	Bad    string // which tasks ended badly; empty for none
	Post   string
}

func newGlance(id string, g *report.Group) glance {
	line := glance{ID: id, Name: nameOf(g), Tasks: report.Grouped(g.N)}
	best := -1
	for i, r := range g.Rows {
		if r.Interrupted || r.Runtime != "" {
			continue
		}
		switch r.Policy {
		case experiment.Unbounded:
			line.AllAtOnce = newOutcome(g, r)
		case experiment.Batch:
			line.Batches = newOutcome(g, r)
			if r.Chosen { // and so need not be the post's five
				line.Batches.Policy = r.Label
			}
		}
		if r.Whole() && (best < 0 || r.Wall.Median < g.Rows[best].Wall.Median) {
			best = i
		}
	}
	if best >= 0 {
		line.Best = newOutcome(g, g.Rows[best])
		line.Best.Policy, line.Best.Post = g.Rows[best].Label, "" // it is in its own column already
	}
	return line
}

func newOutcome(g *report.Group, r report.Row) outcome {
	o := outcome{Colour: colour(r.Policy), Time: fmt.Sprintf("%.2f s", r.Wall.Median), Post: g.Post(r)}
	if r.Noisy {
		o.Time += "†"
	}
	for _, e := range ends[1:] {
		// Of all runs: the one in the middle may be the one that had luck.
		least, most := r.N, 0
		for _, run := range r.All {
			count := e.count(run.Counts)
			least, most = min(least, count), max(most, count)
		}
		if most > 0 && o.Bad == "" {
			o.Bad = percents(least, most, r.N) + " " + e.words
		}
	}
	return o
}

// percents are the shares of n, as one if they look the same. What happened is
// never 0 %.
func percents(least, most, n int) string {
	share := func(count int) string {
		if count > 0 && 200*count < n {
			return "<1"
		}
		return fmt.Sprintf("%.0f", 100*float64(count)/float64(n))
	}
	if from, to := share(least), share(most); from != to {
		return from + "–" + to + " %"
	}
	return share(most) + " %"
}
