package knee

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Share is the share of the best goodput that a limit must reach to be enough.
const Share = 0.95

// Precision is how well any latency is known, in seconds, and Resolution how
// well any goodput is, relative to the best; see the package comment.
const (
	Precision  = 0.001
	Resolution = 0.01
)

// leastPoints are the fewest that show a bend.
const leastPoints = 3

// ErrTooFew is returned if there are not enough points to tell a knee.
var ErrTooFew = errors.New("knee: too few points")

// A Knee is the answer of the rule. Its JSON is part of the harness's output,
// schema 1.
type Knee struct {
	Limit int `json:"limit"`
	// From and To are the ends of the interval, both included.
	From int `json:"from"`
	To   int `json:"to"`
	// Confidence is the probability with which the median of a limit's share
	// is where the rounds say, 0 with fewer than two rounds: then the interval
	// is no more than the precision of a clock.
	Confidence float64 `json:"confidence"`
	// Best is the best goodput, per second, and BestAt the smallest limit that
	// is not told from the best one.
	Best   float64 `json:"best_goodput"`
	BestAt int     `json:"best_at"`
	// Open says that the goodput was still rising at the largest limit, so
	// that the knee may lie above it.
	Open bool `json:"open"`
}

// Find applies the rule to the curve through points, of which it wants at least
// three with a positive goodput; otherwise its error is ErrTooFew. Between two
// limits that were measured the share of the best is taken to grow in a
// straight line. The order of the points does not matter.
func Find(points []Point) (Knee, error) {
	c := newCurve(points)
	if len(c) < leastPoints {
		return Knee{}, fmt.Errorf("%w: %d with a positive goodput, want %d", ErrTooFew, len(c), leastPoints)
	}
	_, best := c.best()
	as := c.plateau()
	limits := make([]float64, len(c))
	low, mid, high := make([]float64, len(c)), make([]float64, len(c)), make([]float64, len(c))
	k := Knee{Best: best, BestAt: c[as[0]].Limit}
	rounds := make([]int, len(c))
	for i, h := range c.holdings() {
		limits[i] = float64(c[i].Limit)
		low[i], mid[i], high[i], rounds[i] = h.low, h.share, h.high, h.rounds
	}
	// A limit that does worse than a smaller one, or whose rounds differ more,
	// cannot make it less certain that the smaller one is enough.
	for _, v := range [][]float64{low, mid, high} {
		for i := 1; i < len(v); i++ {
			v[i] = max(v[i], v[i-1])
		}
	}
	crossing := func(v []float64) int {
		at, ok := cross(limits, v, Share)
		if !ok {
			return c[len(c)-1].Limit
		}
		return ceil(at)
	}
	k.Limit = crossing(mid)
	at, _ := cross(limits, high, Share-Resolution)
	// Rounded outwards, as an interval may only err towards being too wide.
	k.From = min(k.Limit, max(1, int(at-best*Precision)))
	k.To = max(k.Limit, crossing(low))
	// The two points between which it lies are those that it rests on.
	upper, _ := slices.BinarySearch(limits, float64(k.Limit))
	if fewest := min(rounds[max(0, upper-1)], rounds[min(upper, len(c)-1)]); fewest >= 2 {
		k.Confidence = confidence(fewest)
	}
	k.Open = float64(k.To) >= seen*limits[len(limits)-1]
	return k, nil
}

// seen is the part of the largest limit below which a knee must lie: of a curve
// that is all slope, 95 % of the best is at 95 % of the largest limit.
const seen = 0.9

// cross returns where the straight lines through the points first reach y. It
// reports false if they do not.
func cross(x, v []float64, y float64) (float64, bool) {
	for i := range v {
		switch {
		case v[i] < y:
		case i == 0:
			// From nothing in flight and no goodput.
			return x[0] * y / v[0], true
		default:
			return x[i-1] + (x[i]-x[i-1])*(y-v[i-1])/(v[i]-v[i-1]), true
		}
	}
	return x[len(x)-1], false
}

// ceil forgives what rounding has added to a whole number.
func ceil(x float64) int { return max(1, int(math.Ceil(x-1e-9))) }

// ends are the order statistics that enclose the median of sorted values with
// at least 95 %, and the outermost ones if those are too few for that.
func ends(sorted []float64) (low, high float64) {
	k := rank(len(sorted))
	return sorted[k], sorted[len(sorted)-1-k]
}

// rank is how many of n values, from either end, can be left out.
func rank(n int) int {
	k := 0
	for coverage(n, k+1) >= 0.95 {
		k++
	}
	return k
}

// coverage is the probability that the median lies between the k-th value and
// the k-th from the end, counted from 0: that neither k or fewer of n values
// are below it nor k or fewer above.
func coverage(n, k int) float64 {
	if 2*k >= n {
		return 0
	}
	return 1 - 2*distuv.Binomial{N: float64(n), P: 0.5}.CDF(float64(k))
}

func confidence(n int) float64 { return coverage(n, rank(n)) }
