package knee

import "math"

// Kneedle returns the knee after V. Satopaa and others, "Finding a 'kneedle' in
// a haystack" (2011), for a curve that rises and bends down: both axes are
// stretched to 0..1, and the knee is where the curve is highest above the
// diagonal. Only the points up to the best one count, since the method is not
// made for a curve that falls. It reports false if there are fewer than three.
func Kneedle(points []Point) (limit int, ok bool) {
	c := newCurve(points)
	if len(c) == 0 {
		return 0, false
	}
	// The plateau belongs to the curve, all of it: without it there is no bend.
	as := c.plateau()
	c = c[:as[len(as)-1]+1]
	if len(c) < 3 {
		return 0, false
	}
	x0, x1 := float64(c[0].Limit), float64(c[len(c)-1].Limit)
	y0, y1 := math.Inf(1), math.Inf(-1)
	for _, p := range c {
		y0, y1 = min(y0, p.median()), max(y1, p.median())
	}
	if !(y1 > y0) {
		return c[0].Limit, true // flat: one call is as good as many
	}
	highest := math.Inf(-1)
	for _, p := range c {
		if d := (p.median()-y0)/(y1-y0) - (float64(p.Limit)-x0)/(x1-x0); d > highest {
			limit, highest = p.Limit, d
		}
	}
	return limit, true
}
