package knee

import (
	"math"
	"time"

	"gonum.org/v1/gonum/floats"
)

// A Network is an origin whose parameters are known, as queueing theory sees
// it: some workers behind one queue, and a delay that occupies nobody. Callers
// are in it for ever, each making its next call when it has an answer.
type Network struct {
	Workers int
	Service time.Duration
	Delay   time.Duration // network, kernels, late timers
	// Exponential says that service times are exponentially distributed with
	// mean Service. Otherwise they are all the same.
	Exponential bool
	// Quota is the most calls per second, 0 for no such bound.
	Quota float64
}

// Goodput is how many calls per second n callers get done in the long run.
func (w Network) Goodput(n int) float64 {
	s, d := w.Service.Seconds(), w.Delay.Seconds()
	x := min(float64(n)/(s+d), float64(w.Workers)/s)
	if w.Exponential {
		x = math.Exp(w.logNormal(n-1) - w.logNormal(n))
	}
	if w.Quota > 0 {
		x = min(x, w.Quota)
	}
	return x
}

// Capacity is what no number of callers exceeds.
func (w Network) Capacity() float64 {
	x := float64(w.Workers) / w.Service.Seconds()
	if w.Quota > 0 {
		x = min(x, w.Quota)
	}
	return x
}

// Knee is the true answer: the smallest number of callers that get at least
// Share of the capacity.
func (w Network) Knee() int {
	low, high := 0, 1
	for w.Goodput(high) < Share*w.Capacity()*(1-1e-12) {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if mid := (low + high) / 2; w.Goodput(mid) < Share*w.Capacity()*(1-1e-12) {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// logNormal is the logarithm of the normalisation constant of n callers in the
// product form of the network (Gordon and Newell, 1967). The ratio of two
// successive ones is the goodput that exact mean value analysis finds, without
// that recursion's loss of digits where a station with several servers is
// nearly busy.
//
//	G(n) = sum over k = 0..n of S^k / (1 × 2 × ... each at most K) × D^(n-k) / (n-k)!
func (w Network) logNormal(n int) float64 {
	s, d := math.Log(w.Service.Seconds()), math.Log(w.Delay.Seconds())
	terms := make([]float64, 0, n+1)
	station := 0.0
	for k := 0; k <= n; k++ {
		if k > 0 {
			station += s - math.Log(float64(min(k, w.Workers)))
		}
		switch rest := n - k; {
		case rest == 0:
			terms = append(terms, station)
		case w.Delay > 0:
			factorial, _ := math.Lgamma(float64(rest) + 1)
			terms = append(terms, station+float64(rest)*d-factorial)
		}
	}
	return floats.LogSumExp(terms)
}
