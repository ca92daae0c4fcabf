package limiter

import "time"

// histogram counts latencies by their first two digits in microseconds, as the
// one of Envoy does (libcircllhist). That is precise to 10 % or better at any
// length, in 3.6 kB. What is below a microsecond counts as one, and what is
// longer than the last bin (2.8 hours) counts there.
type histogram struct {
	count int
	bins  [decades * binsPerDecade]uint32
}

const (
	decades       = 10 // 1 µs, 10 µs, …
	binsPerDecade = 90 // 1.0, 1.1, … 9.9
)

func (h *histogram) add(d time.Duration) {
	// From 10 µs on a bin is known by whole microseconds; those below have
	// nine tenths of their bins empty.
	v, decade := max(1, d.Microseconds()), 0
	if v < 10 {
		v *= 10
	} else {
		for decade = 1; v >= 100; v /= 10 {
			decade++
		}
	}
	h.count++
	h.bins[min(decade*binsPerDecade+int(v)-10, len(h.bins)-1)]++
}

// median returns the median, in whole microseconds, taking the latencies of a
// bin to be spread evenly over it. It is 0 if there are none.
func (h *histogram) median() time.Duration {
	half, below := float64(h.count)/2, 0.0
	width := 0.1 // of a bin, in microseconds
	for i, n := range h.bins {
		if i > 0 && i%binsPerDecade == 0 {
			width *= 10
		}
		if n > 0 && below+float64(n) >= half {
			left := float64(10+i%binsPerDecade) * width
			return time.Duration(left+(half-below)/float64(n)*width) * time.Microsecond
		}
		below += float64(n)
	}
	return 0
}
