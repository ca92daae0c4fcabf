package limiter

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestMedianIsOfAnotherBin(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	for _, row := range []struct {
		latencies []time.Duration
		want      time.Duration
	}{
		{nil, 0},
		{[]time.Duration{0}, 1 * us},
		{[]time.Duration{999}, 1 * us},
		{[]time.Duration{9 * us}, 9 * us},
		{[]time.Duration{10 * us}, 10 * us},                     // from 10 to 11 µs, and whole
		{[]time.Duration{99 * us, 99 * us}, 99 * us},            // 99.5
		{[]time.Duration{100 * us}, 105 * us},                   // from 100 to 110
		{[]time.Duration{1 * ms, 2 * ms}, 1100 * us},            // the end of the lower bin
		{[]time.Duration{1 * ms, 2 * ms, 9 * ms}, 2050 * us},    // the middle of the second
		{[]time.Duration{1 * ms, 1090 * us, 2 * ms}, 1075 * us}, // three quarters of the first
		{[]time.Duration{time.Hour}, 3650 * time.Second},        // from 3600 to 3700 s
		{[]time.Duration{1000 * time.Hour}, 9950 * time.Second}, // the last
	} {
		var h histogram
		for _, l := range row.latencies {
			h.add(l)
		}
		if got := h.median(); got != row.want {
			t.Errorf("%v: median %v, want %v", row.latencies, got, row.want)
		}
	}
	// Bins are at most a tenth of what is in them wide.
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var h histogram
		var all []time.Duration
		for range 101 {
			d := time.Duration(r.ExpFloat64() * float64(30*ms))
			h.add(d)
			all = append(all, d)
		}
		slices.Sort(all)
		if got, want := h.median(), all[50]; float64(got) < 0.9*float64(want) || float64(got) > 1.1*float64(want) {
			t.Errorf("median %v, want %v", got, want)
		}
	}
}
