package limiter

import (
	"math"
	"slices"
)

// The gauge is ℓ, the number of which a rise is taken for a queue: the mean
// latency of the fastest quarter of the answers. The mean of all moves whenever
// the mix of cheap and dear calls does, the minimum is one lucky call; the
// fastest quarter is the same sort of call in each round.
//
// It is blind in one case. Where all calls take equally long they start and end
// together, in waves: the first of a wave wait for nobody, however long the
// queue is for the last. So where the answers hardly differ when nothing waits,
// the mean of the fastest nine tenths, w, is a second gauge. Their quotient w/ℓ,
// the spread, is learnt when an experiment leaves no queue (settle); divided by
// that, w says what ℓ would be if all had waited equally. The greater of the two
// counts, w less twice its error.
//
// Failure mode: a service of which the cheapest quarter of the calls become
// dearer, and no others, looks like a queue until the next experiment.
const (
	fastest = 0.25 // the share of answers that ℓ is the mean of
	nearAll = 0.9  // the share that w is the mean of
	alike   = 1.2  // answers of a spread below this, when nothing waits, hardly differ
	unlike  = 2.2  // above this spread, whenever, they differ: a mix of calls has changed
)

// gauge returns ℓ of a sample of n, its standard error, and the spread. Members
// of the sample that are missing from xs are known only to be long.
func (a *adaptive) gauge(xs []float32, n int) (low, stderr, spread float64) {
	slices.Sort(xs)
	low, stderr = lowMean(xs, n, fastest)
	most, mostError := lowMean(xs, n, nearAll)
	spread = most / low
	if a.baseSpread < alike && spread <= unlike {
		low = math.Max(low, (most-2*mostError)/a.baseSpread)
	}
	return low, stderr, spread
}

// lowMean is the mean of a share of a sample of n, the fastest, and its standard
// error. xs are the members that are known, sorted; the others are longer.
func lowMean(xs []float32, n int, share float64) (mean, stderr float64) {
	k := min(max(3, int(share*float64(n)+0.5)), len(xs))
	sum := 0.0
	for _, x := range xs[:k] {
		sum += float64(x)
	}
	// The error of such a mean is that of the sample cut off at its greatest
	// member: its winsorised variance.
	total, top := float64(n), float64(xs[k-1])
	cutoff := (sum + (total-float64(k))*top) / total
	variance := (total - float64(k)) * sq(top-cutoff)
	for _, x := range xs[:k] {
		variance += sq(float64(x) - cutoff)
	}
	return math.Max(sum/float64(k), tick), math.Max(math.Sqrt(variance)/float64(k), tick/1000)
}

// tick is the least latency, in seconds, that is told from none. Answers can come
// within one tick of a coarse clock; without a floor the weights of estimates
// that are both exactly 0 would be 0/0, and what is not a number stays so.
const tick = 1e-9

// blend weighs two estimates by their variances, as a Kalman filter does, and
// returns the estimate that results and its standard error.
func blend(x, xVariance, y, yVariance float64) (mean, stderr float64) {
	g := xVariance / (xVariance + yVariance)
	return x + g*(y-x), math.Sqrt(g * yVariance)
}

func sq(x float64) float64 { return x * x }
