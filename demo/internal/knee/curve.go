package knee

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// A Point is the goodput that was measured with one limit.
type Point struct {
	Limit int
	// Goodput is in calls per second, one value for each round. Rounds are in
	// the same order in all points; NaN is for a round without this limit.
	Goodput []float64
}

// median is the median of the rounds, of an even number the mean of the middle
// two.
func (p Point) median() float64 {
	v := present(p.Goodput)
	if len(v) == 0 {
		return math.NaN()
	}
	return median(v)
}

// present returns the values that are not NaN, in order of size.
func present(values []float64) []float64 {
	v := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(v)
	return v
}

// median takes values in order of size.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// A curve is points in order of their limits, each with a positive goodput in
// at least one round.
type curve []Point

func newCurve(points []Point) curve {
	c := slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return p.Limit < 1 || !(p.median() > 0) })
	slices.SortFunc(c, func(a, b Point) int { return a.Limit - b.Limit })
	return c
}

// top is the index of the point with the best median. Of those that were
// measured less than half as often as another, luck may be the reason, unless
// it is better by more than the rule forgives.
func (c curve) top() int {
	most := 0
	for _, p := range c {
		most = max(most, len(present(p.Goodput)))
	}
	top := -1
	for i, p := range c {
		if 2*len(present(p.Goodput)) >= most && (top < 0 || p.median() > c[top].median()) {
			top = i
		}
	}
	often := c[top].median()
	for i, p := range c {
		if Share*p.median() > often && p.median() > c[top].median() {
			top = i
		}
	}
	return top
}

// plateau returns the indices of the points that are as good as the best: their
// rounds do not tell them from it. The best of several equals is the one that
// luck has favoured, and a rule that compared with it alone would ask too much.
// Rounds that differ widely tell nothing apart, so a point must also reach the
// share of the best that the rule asks for; or the noise of a busy machine would
// make points equal that are not, and the mean of them the best.
func (c curve) plateau() []int {
	top := c.top()
	var as []int
	for i, p := range c {
		var deficit []float64
		for r := range c[top].Goodput {
			if r < len(p.Goodput) {
				deficit = append(deficit, c[top].Goodput[r]-p.Goodput[r])
			}
		}
		deficit = present(deficit)
		if i == top {
			as = append(as, i)
			continue
		}
		if len(deficit) < 2 {
			if p.median() == c[top].median() {
				as = append(as, i)
			}
			continue
		}
		if p.median() < Share*c[top].median() {
			continue
		}
		mean, sd := stat.MeanStdDev(deficit, nil)
		if mean <= 2*stat.StdErr(sd, float64(len(deficit))) {
			as = append(as, i)
		}
	}
	return as
}

// best returns the best goodput of each round: the mean of the plateau in that
// round, or of the plateau's medians if the round has none of it.
func (c curve) best() (of func(round int) float64, overall float64) {
	as := c.plateau()
	medians := make([]float64, len(as))
	for k, i := range as {
		medians[k] = c[i].median()
	}
	overall = stat.Mean(medians, nil)
	return func(round int) float64 {
		var v []float64
		for _, i := range as {
			if round < len(c[i].Goodput) && !math.IsNaN(c[i].Goodput[round]) {
				v = append(v, c[i].Goodput[round])
			}
		}
		if len(v) == 0 {
			return overall
		}
		return stat.Mean(v, nil)
	}, overall
}
