package page

import (
	"fmt"
	"math"
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// A chart is what page.js draws with uPlot. The template shows its title and
// its note, and keeps a place for it.
type chart struct {
	ID    string `json:"id"`
	Title string `json:"-"`
	Note  string `json:"-"`

	X      axis        `json:"x"`
	Y      axis        `json:"y"`
	Xs     [][]float64 `json:"xs"` // series name one of them, as many have the same
	Series []series    `json:"series"`
	Marks  []mark      `json:"marks,omitempty"`
}

// An axis says how to scale and label one.
type axis struct {
	Label string  `json:"label"`
	Scale string  `json:"scale"`         // linear, log2, log10, asinh, or percentile
	Max   float64 `json:"max,omitempty"` // shown at first, if not all
}

type series struct {
	Label  string     `json:"label"`
	Colour string     `json:"colour"` // of the style sheet
	Dashed bool       `json:"dashed,omitempty"`
	Thin   bool       `json:"thin,omitempty"`
	Steps  bool       `json:"steps,omitempty"`
	Points bool       `json:"points,omitempty"`
	X      int        `json:"x"`
	Y      []*float64 `json:"y"`
}

// A mark is a line across the chart, or a band if it has an end.
type mark struct {
	Axis string  `json:"axis"` // the one that At is on
	At   float64 `json:"at"`
	To   float64 `json:"to,omitempty"`
	Text string  `json:"text"`
}

// add adds a line. Lines that share their x share its place.
func (c *chart) add(s series, x, y []float64) {
	s.X = slices.IndexFunc(c.Xs, func(other []float64) bool { return slices.Equal(other, x) })
	if s.X < 0 {
		s.X = len(c.Xs)
		c.Xs = append(c.Xs, x)
	}
	for _, v := range y {
		if math.IsNaN(v) {
			s.Y = append(s.Y, nil)
			continue
		}
		rounded := round(v)
		s.Y = append(s.Y, &rounded)
	}
	c.Series = append(c.Series, s)
}

// round keeps four digits: more than a screen has, and less of a file.
func round(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-3)
	return math.Round(v/unit) * unit
}

// latencies draws the distributions of a group, or nothing if it has too few
// calls to speak of one.
func latencies(g *report.Group, points int, title, note string, of func(report.Row) *experiment.Latencies) *chart {
	c := &chart{
		Title: title, Note: note,
		X: axis{Label: "share of calls", Scale: "percentile"},
		Y: axis{Label: "ms", Scale: "linear"},
	}
	least, most := math.Inf(1), 0.0
	for _, r := range g.Rows {
		merged := of(r)
		if merged.Count() < leastCalls {
			continue
		}
		var x, y []float64
		curve := merged.Curve()
		every := 1 + len(curve)/points
		for i, q := range curve {
			if i%every > 0 && i < len(curve)-1 {
				continue
			}
			x = append(x, round(1/(1-q.Share)))
			y = append(y, max(q.MS, 0.01))
		}
		least, most = min(least, slices.Min(y)), max(most, slices.Max(y))
		c.add(series{Label: r.Name(), Colour: colour(r.Policy), Dashed: r.Runtime != ""}, x, y)
	}
	if len(c.Series) == 0 {
		return nil
	}
	if most > 8*least {
		c.Y.Scale = "log10"
	}
	return c
}

// leastCalls is how many calls make a distribution.
const leastCalls = 50

// inFlight draws the calls in flight over time, of one run of each row.
func inFlight(g *report.Group, points int) *chart {
	c := &chart{
		Title: "Calls in flight",
		X:     axis{Label: "s", Scale: "linear"}, Y: axis{Label: "calls", Scale: "linear"},
	}
	var peaks, ends []float64
	widest, of := 0.0, ""
	for _, r := range g.Rows {
		timeline := typical(r).Timeline
		line := thin(timeline, points)
		if len(line) < 3 {
			continue
		}
		if gap := widestGap(timeline); gap > widest {
			widest, of = gap, r.Name()
		}
		var x, y []float64
		for _, p := range line {
			x, y = append(x, round(p.T)), append(y, float64(p.InFlight))
		}
		peaks, ends = append(peaks, slices.Max(y)), append(ends, x[len(x)-1])
		c.add(series{Label: r.Name(), Colour: colour(r.Policy), Dashed: r.Runtime != ""}, x, y)
	}
	if len(c.Series) == 0 {
		return nil
	}
	if slices.Max(peaks) > 8*slices.Min(peaks) {
		c.Y.Scale = "asinh"
	}
	c.X.Max = firstView(ends)
	// How far apart the samples are is not for a text to promise: a busy machine
	// lets the sampler wait, and a long run keeps some of its samples only.
	c.Note = fmt.Sprintf("One run of each policy; samples are up to %s apart (%s).", span(widest), of)
	if c.X.Max > 0 {
		c.Note += fmt.Sprintf(" Shown at first: %s of %s; a double click shows all.", span(c.X.Max), span(slices.Max(ends)))
	}
	return c
}

// widestGap is the longest time, in seconds, of which a line has no sample.
func widestGap(line []experiment.Point) (gap float64) {
	last := 0.0
	for _, p := range line {
		gap, last = max(gap, p.T-last), p.T
	}
	return gap
}

// span writes seconds as a person would.
func span(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.0f ms", 1000*seconds)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// limits draws the limit over time of the policies that search for it, with the
// calls that were in flight under it.
func limits(g *report.Group, points int) *chart {
	c := &chart{
		Title: "The limit over time", Note: "Of the policies that search for it; thin: the calls in flight under it.",
		X: axis{Label: "s", Scale: "linear"}, Y: axis{Label: "calls", Scale: "linear"},
	}
	for _, r := range g.Rows {
		line := thin(typical(r).Timeline, points)
		if !slices.Contains(experiment.Searching, r.Policy) || len(line) < 10 {
			continue
		}
		var x, limit, flying []float64
		for _, p := range line {
			if p.Limit == nil {
				continue
			}
			x, limit, flying = append(x, round(p.T)), append(limit, float64(*p.Limit)), append(flying, float64(p.InFlight))
		}
		if len(x) == 0 {
			continue
		}
		c.add(series{Label: r.Name(), Colour: colour(r.Policy), Steps: true}, x, limit)
		c.add(series{Label: r.Policy + ", in flight", Colour: colour(r.Policy), Thin: true}, x, flying)
	}
	if len(c.Series) == 0 {
		return nil
	}
	for _, r := range g.Rows {
		if limit, ok := r.All[0].Params["limit"]; ok && r.Policy == experiment.Fixed {
			c.Marks = append(c.Marks, mark{Axis: "y", At: number(limit), Text: "fixed " + fmt.Sprint(limit)})
		}
	}
	return c
}

// typical is the run with the median wall time: one that was, and no mixture.
func typical(r report.Row) *experiment.Run {
	i := slices.IndexFunc(r.All, func(run *experiment.Run) bool { return run.WallSeconds == r.Wall.Median })
	return r.All[max(0, i)]
}

// thin keeps about so many points of a line: of each stretch its first point and
// the one with the most calls in flight, so that no peak is lost.
func thin(line []experiment.Point, points int) []experiment.Point {
	if len(line) <= points {
		return line
	}
	stretches := max(1, points/2)
	var kept []experiment.Point
	for i := range stretches {
		part := line[i*len(line)/stretches : (i+1)*len(line)/stretches]
		top := 0
		for k, p := range part {
			if p.InFlight > part[top].InFlight {
				top = k
			}
		}
		kept = append(kept, part[0])
		if top > 0 {
			kept = append(kept, part[top])
		}
	}
	return append(kept, line[len(line)-1])
}

// firstView is how much of the time to show at first, if one line goes on so
// much longer than the others that they would be a stroke at the edge; 0 is all.
func firstView(ends []float64) float64 {
	sorted := slices.Sorted(slices.Values(ends))
	n := len(sorted)
	if n < 3 || sorted[n-1] < 3*sorted[n-2] {
		return 0
	}
	return round(1.3 * sorted[n-2])
}

// colour names a policy's colour in the style sheet. A policy that this version
// does not know has a grey one.
func colour(policy string) string {
	if slices.Contains(experiment.PolicyNames, policy) {
		return policy
	}
	return "other"
}

// number is a number of the JSON, whichever way it got here.
func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}
