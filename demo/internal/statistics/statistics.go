// Package statistics says how far a few repeated measurements can be trusted.
// Nothing in it assumes anything of how they are distributed: times of programs
// have one long tail, and now and then two humps.
package statistics

import (
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// Confidence is the least confidence of the intervals, and what the tests of
// differences are held against.
const Confidence = 0.95

// An Interval is where the median of many more measurements would be found with
// the given confidence. The zero Interval is that of too few measurements: five
// cannot give one, and six are the least that can.
type Interval struct{ Low, High, Confidence float64 }

// Known reports whether there were measurements enough.
func (i Interval) Known() bool { return i.Confidence > 0 }

// MedianInterval returns the interval of the median of values, which lies
// between two of them: of n measurements, the k-th and the (n+1-k)-th enclose
// the median unless fewer than k of them fell on one side of it, which is a
// matter of throwing n coins (order statistics).
func MedianInterval(values []float64) Interval {
	n := len(values)
	if n == 0 {
		return Interval{}
	}
	sorted := slices.Sorted(slices.Values(values))
	ci := stats.QuantileCI(n, 0.5, Confidence)
	if ci.LoOrder < 1 || ci.HiOrder > n || ci.Confidence < Confidence {
		return Interval{}
	}
	return Interval{sorted[ci.LoOrder-1], sorted[ci.HiOrder-1], ci.Confidence}
}

// Median is the lower of the middle two of an even number of values: one that
// was measured. It is 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// PValue is the chance that two samples differ as much as these if the same
// thing was measured in both (Mann and Whitney's U test, two-sided, exact for
// small samples). It is 1 if they cannot tell anything.
func PValue(a, b []float64) float64 {
	r, err := stats.MannWhitneyUTest(a, b, stats.LocationDiffers)
	if err != nil {
		return 1 // one is empty, or all values are equal
	}
	return r.P
}

// LeastP is the least chance that samples of these sizes can have, which they
// have if all of one lie beyond all of the other. Samples that are so small
// that it is above 1 - [Confidence] cannot show any difference.
func LeastP(n, m int) float64 {
	if n == 0 || m == 0 {
		return 1
	}
	p := 2.0 // both sides
	for k := 1; k <= m; k++ {
		p *= float64(k) / float64(n+k)
	}
	return min(1, p)
}
