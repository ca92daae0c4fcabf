package scenario

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// A Distribution is how long something takes. The zero value is no time at all.
type Distribution struct {
	shape shape
	mean  float64 // nanoseconds
	a, b  float64 // what they are depends on the shape
}

type shape uint8

const (
	constant shape = iota
	uniform
	exponential
	lognormal
	pareto
	bimodal
)

// Constant always takes d.
func Constant(d time.Duration) Distribution { return Distribution{mean: float64(d)} }

// Uniform takes from (1-spread) to (1+spread) times the mean.
func Uniform(mean time.Duration, spread float64) Distribution {
	return Distribution{shape: uniform, mean: float64(mean), a: spread}
}

// Exponential has no memory: how long it has taken says nothing of how long it
// will still take.
func Exponential(mean time.Duration) Distribution {
	return Distribution{shape: exponential, mean: float64(mean)}
}

// Lognormal is what service times in practice often look like. Sigma is the
// standard deviation of the logarithm: 0.5 is tame, 1.5 has a heavy tail.
func Lognormal(mean time.Duration, sigma float64) Distribution {
	return Distribution{shape: lognormal, mean: float64(mean), a: sigma}
}

// Pareto has a tail that falls like a power, of infinite variance for an index
// of at most 2. What is longer than most is cut to it; the mean is that of the
// distribution before the cut.
func Pareto(mean time.Duration, index float64, most time.Duration) Distribution {
	return Distribution{shape: pareto, mean: float64(mean), a: index, b: float64(most)}
}

// Bimodal takes slow for a share of the calls and fast for the others.
func Bimodal(fast, slow time.Duration, share float64) Distribution {
	return Distribution{
		shape: bimodal, mean: (1-share)*float64(fast) + share*float64(slow),
		a: share, b: float64(slow) / float64(fast),
	}
}

// Mean returns the mean.
func (d Distribution) Mean() time.Duration { return time.Duration(d.mean) }

// Times returns the distribution with every time multiplied by f.
func (d Distribution) Times(f float64) Distribution {
	d.mean *= f
	if d.shape == pareto {
		d.b *= f
	}
	return d
}

// draw draws a time in nanoseconds.
func (d *Distribution) draw(r *rand.Rand) float64 {
	switch d.shape {
	case uniform:
		return d.mean * (1 + d.a*(2*r.Float64()-1))
	case exponential:
		return d.mean * r.ExpFloat64()
	case lognormal:
		return d.mean * math.Exp(d.a*r.NormFloat64()-d.a*d.a/2)
	case pareto:
		return math.Min(d.b, d.mean*(d.a-1)/d.a*math.Pow(1-r.Float64(), -1/d.a))
	case bimodal:
		fast := d.mean / (1 - d.a + d.a*d.b)
		if r.Float64() < d.a {
			return fast * d.b
		}
		return fast
	}
	return d.mean
}

// String describes d.
func (d Distribution) String() string {
	mean := round(d.mean)
	switch d.shape {
	case uniform:
		return fmt.Sprintf("uniform %v ± %.0f %%", mean, 100*d.a)
	case exponential:
		return fmt.Sprintf("exponential %v", mean)
	case lognormal:
		return fmt.Sprintf("lognormal %v (σ %.3g)", mean, d.a)
	case pareto:
		return fmt.Sprintf("Pareto %v (index %.3g, cut at %v)", mean, d.a, round(d.b))
	case bimodal:
		fast := d.mean / (1 - d.a + d.a*d.b)
		return fmt.Sprintf("%v, and %v for %.3g %%", round(fast), round(fast*d.b), 100*d.a)
	}
	return mean.String()
}

// round keeps as many digits of a time as a reader wants.
func round(ns float64) time.Duration {
	d := time.Duration(ns)
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
