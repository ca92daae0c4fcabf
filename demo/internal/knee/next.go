package knee

import (
	"math"
	"slices"
)

// fine is how far apart, relative to the knee, the two limits may be that
// enclose it.
const fine = 0.025

// Next returns the limit that is worth measuring next: one between the two that
// enclose the knee. It reports false if these are one call or 2.5 % apart, and
// if nothing encloses it.
func Next(points []Point) (limit int, ok bool) {
	k, err := Find(points)
	if err != nil {
		return 0, false
	}
	c := newCurve(points)
	above := slices.IndexFunc(c, func(p Point) bool { return p.Limit >= k.Limit })
	if above <= 0 {
		return 0, false
	}
	low, high := c[above-1], c[above]
	near := max(1, int(fine*float64(k.Limit)))
	if high.Limit-low.Limit <= near {
		return 0, false
	}
	// Below the knee goodput is in proportion to the limit, which says where
	// it would reach the share. A curve bends down, so the knee is not before.
	limit = int(math.Ceil(float64(low.Limit) * Share * k.Best / low.median()))
	if limit <= low.Limit+near || limit >= high.Limit {
		limit = (low.Limit + high.Limit) / 2
	}
	return limit, true
}
