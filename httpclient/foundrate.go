package httpclient

import (
	"math"
	"time"
)

// A foundRate is the rate at which a server that answers 429 answers otherwise.
// It comes into play with the first 429 and is dropped half a minute after the
// last. When there is a 429, the rate becomes a little less than that of the
// successes in the last second, which is what the server lets through; from
// there it grows by
//
//	1 + t/100 s + (t/4 s)³
//
// so it feels for the edge slowly where it was found, and finds a server that
// can do much more soon. If a refusal comes with a Retry-After it costs that
// time, so t then runs slower.
type foundRate struct {
	rate    float64       // per second, when it was set; 0: none
	set     time.Duration // when
	slower  float64       // how much t runs slower
	started uint64        // pacing.started at that moment
	since   time.Duration // when counting began
	counts  [slots]slot
}

const (
	slots     = 10
	slotTime  = 100 * time.Millisecond
	leastRate = 0.5 // per second
	cut       = 0.98
	maxCut    = 0.7
	forgotten = 30 * time.Second
)

type slot struct {
	number int64
	count  float64
}

func (f *foundRate) succeeded(now time.Duration) {
	n := int64(now / slotTime)
	s := &f.counts[n%slots]
	if s.number != n {
		*s = slot{number: n}
	}
	s.count++
}

// measured returns the successes per second in the last second.
func (f *foundRate) measured(now time.Duration) float64 {
	n, sum := int64(now/slotTime), 0.0
	for _, s := range f.counts {
		if s.number > n-slots {
			sum += s.count
		}
	}
	within := min(max(now-f.since, slotTime), (slots-1)*slotTime+now%slotTime)
	return sum / within.Seconds()
}

// refused sets the rate, unless the call had started before the rate was set
// last and so says nothing of it.
func (f *foundRate) refused(now time.Duration, started uint64, e evidence) {
	if f.since == 0 {
		f.since = max(now, 1)
	}
	if f.rate > 0 && e.since < f.started {
		return
	}
	rate := cut * f.measured(now)
	if current := f.at(now); f.rate > 0 && current > 0 {
		rate = math.Min(math.Max(rate, maxCut*current), cut*current)
	}
	f.rate, f.set, f.started = math.Max(rate, leastRate), now, started
	f.slower = 1 + 40*e.pause.Seconds()
}

// at returns the rate; 0 is none.
func (f *foundRate) at(now time.Duration) float64 {
	if f.rate == 0 || now-f.set > time.Duration(f.slower*float64(forgotten)) {
		return 0
	}
	t := (now - f.set).Seconds() / f.slower
	return f.rate * (1 + t/100 + math.Pow(t/4, 3))
}

// interval returns the time between two requests at that rate, or 0.
func (f *foundRate) interval(now time.Duration) time.Duration {
	rate := f.at(now)
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / rate)
}
