package page

import (
	"fmt"
	"math"
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// A gantt shows which places were busy when: a lane for each place, a bar for
// each task. Lengths are in thousandths of the width.
type gantt struct {
	Label  string
	Colour string
	Text   string // how well the places were used
	Lanes  int
	Height int
	Bars   []ganttBar
	End    float64 // where the run ended
	Rest   float64 // from there to the edge
}

type ganttBar struct {
	X, Y, Width float64
	Long        bool // longer than most by far
	Title       string
}

type gantts struct {
	List  []gantt
	Ticks []tick
}

// A tick is a label under an axis, at so many percent of it.
type tick struct {
	At   float64
	Text string
}

const (
	width      = 1000.0
	laneHeight = 8
	laneGap    = 2
)

// occupancy draws a batch above a limit of the same width, on one axis of time.
// It returns nil if the group has no such two, or not of the same width.
func occupancy(g *report.Group) *gantts {
	var rows []report.Row
	var end float64
	for _, policy := range []string{experiment.Batch, experiment.Fixed} {
		i := slices.IndexFunc(g.Rows, func(r report.Row) bool {
			return r.Policy == policy && r.Runtime == "" && len(typical(r).Tasks) > 1
		})
		if i < 0 {
			return nil
		}
		rows = append(rows, g.Rows[i])
		end = max(end, typical(g.Rows[i]).WallSeconds*1000)
	}
	if !report.SameWidth(rows[1], rows[0]) {
		return nil
	}
	all := new(gantts)
	for _, r := range rows {
		all.List = append(all.List, newGantt(r, end))
	}
	step := niceStep(end / 5)
	for at := 0.0; at <= end; at += step {
		all.Ticks = append(all.Ticks, tick{100 * at / end, fmt.Sprintf("%.4g s", at/1000)})
	}
	return all
}

func newGantt(r report.Row, end float64) gantt {
	run := typical(r)
	var busy, lengths []float64
	var used float64
	g := gantt{Label: r.Name(), Colour: colour(r.Policy)}
	for _, t := range run.Tasks {
		lengths = append(lengths, t[1]-t[0])
		used += t[1] - t[0]
	}
	long := 2 * slices.Sorted(slices.Values(lengths))[len(lengths)/2]
	for i, t := range run.Tasks {
		// The lane that has been free the longest: any would do, and this one
		// keeps the picture even.
		lane := -1
		for k, until := range busy {
			if until <= t[0] && (lane < 0 || until < busy[lane]) {
				lane = k
			}
		}
		if lane < 0 {
			lane = len(busy)
			busy = append(busy, 0)
		}
		busy[lane] = t[1]
		g.Bars = append(g.Bars, ganttBar{
			X: width * t[0] / end, Y: float64(lane * (laneHeight + laneGap)), Width: max(1, width*(t[1]-t[0])/end-1),
			Long:  lengths[i] > long,
			Title: fmt.Sprintf("%.0f to %.0f ms", t[0], t[1]),
		})
	}
	wall := run.WallSeconds * 1000
	g.Lanes, g.Height = len(busy), len(busy)*(laneHeight+laneGap)-laneGap
	g.End = min(width, width*wall/end)
	g.Rest = width - g.End
	g.Text = fmt.Sprintf("%.2f s; %d places, busy %.0f %% of the time", run.WallSeconds, g.Lanes, 100*used/(wall*float64(g.Lanes)))
	return g
}

// niceStep is 1, 2 or 5 times a power of ten, and at least v.
func niceStep(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if f*unit >= v {
			return f * unit
		}
	}
	return 10 * unit
}
