package knee

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"
)

// A USL is Gunther's Universal Scalability Law:
//
//	goodput(n) = Lambda × n / (1 + Sigma × (n - 1) + Kappa × n × (n - 1))
//
// Lambda is what one call at a time achieves, Sigma the part that is done one
// at a time, and Kappa what the calls have to agree on. Its JSON is part of the
// harness's output, schema 1.
type USL struct {
	Lambda float64 `json:"lambda"`
	Sigma  float64 `json:"sigma"`
	Kappa  float64 `json:"kappa"`
	// R2 is the coefficient of determination: 1 is a perfect fit.
	R2 float64 `json:"r2"`
	// Peak is where the law has its greatest goodput, 0 if it has none.
	Peak float64 `json:"peak"`
}

// At is the goodput with n calls in flight.
func (u USL) At(n float64) float64 {
	return u.Lambda * n / (1 + u.Sigma*(n-1) + u.Kappa*n*(n-1))
}

// fewestForUSL is Gunther's own advice: three parameters need twice as many
// points.
const fewestForUSL = 6

// FitUSL fits the law to the medians of points, by least squares in the goodput
// itself. Its error is ErrTooFew for fewer than six points.
func FitUSL(points []Point) (USL, error) {
	c := newCurve(points)
	if len(c) < fewestForUSL {
		return USL{}, fmt.Errorf("%w for the USL: %d with a positive goodput, want %d", ErrTooFew, len(c), fewestForUSL)
	}
	n, x := make([]float64, len(c)), make([]float64, len(c))
	best := 0.0
	for i, p := range c {
		n[i], x[i] = float64(p.Limit), p.median()
		best = max(best, x[i])
	}
	// The parameters cannot be negative and differ by orders of magnitude, so
	// what is searched for is their logarithms.
	law := func(v []float64) USL {
		return USL{Lambda: math.Exp(v[0]), Sigma: math.Exp(v[1]), Kappa: math.Exp(v[2])}
	}
	problem := optimize.Problem{Func: func(v []float64) float64 {
		u, sum := law(v), 0.0
		for i := range n {
			d := (u.At(n[i]) - x[i]) / best
			sum += d * d
		}
		return sum
	}}
	var fit USL
	least := math.Inf(1)
	for _, kappa := range []float64{-20, -12, -6} { // several starts, as the sum has more than one valley
		start := []float64{math.Log(x[0] / n[0]), -4, kappa}
		result, err := optimize.Minimize(problem, start, &optimize.Settings{MajorIterations: 2000}, &optimize.NelderMead{})
		if result == nil || err != nil && result.X == nil {
			continue
		}
		if result.F < least {
			least, fit = result.F, law(result.X)
		}
	}
	if math.IsInf(least, 1) {
		return USL{}, fmt.Errorf("knee: no fit of the USL to %d points", len(c))
	}
	estimates := make([]float64, len(n))
	for i := range n {
		estimates[i] = fit.At(n[i])
	}
	fit.R2 = stat.RSquaredFrom(estimates, x, nil)
	if fit.Sigma < 1 && fit.Kappa > 1e-12 {
		fit.Peak = math.Sqrt((1 - fit.Sigma) / fit.Kappa)
	}
	return fit, nil
}
