package limiter

import (
	"testing"
	"time"
)

// A clock that is set back must not put experiments off for as long.
func TestAdaptiveWaitsForAClockThatWasSetBack(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	wall := time.Unix(1_700_000_000, 0).UnixNano()
	a.mean = 0.010
	a.plan(wall)
	a.soon(wall)
	if a.due(wall) || !a.due(wall+2*period) {
		t.Fatal("an experiment is not due when it was planned")
	}
	back := wall - int64(24*time.Hour)
	a.due(back)
	if a.next > back+2*maxSpacing*period || a.urgent > back+2*period {
		t.Errorf("the next experiment is %v off", time.Duration(a.next-back))
	}
}

// Clients with different latencies must share instants of the grid.
func TestGridsOfClientsNeverMeet(t *testing.T) {
	for _, v := range []float64{0, 1e9, 3e9, 1e12} {
		g := gridAtLeast(period, v)
		if float64(g) < v || g%period != 0 || (g/period)&(g/period-1) != 0 {
			t.Errorf("grid of %v for %v", time.Duration(g), time.Duration(v))
		}
	}
}

// What is missing from the sample is long: it must raise the statistic.
func TestLowMeanForgetsWhatIsMissing(t *testing.T) {
	xs := []float32{8, 7, 6, 5, 4, 3, 2, 1}
	if mean, _ := lowMean(append([]float32(nil), xs...), 8); mean != 2 { // at least three
		t.Errorf("mean %v of 1, 2, 3", mean)
	}
	if mean, _ := lowMean(append([]float32(nil), xs...), 24); mean != 3.5 {
		t.Errorf("mean %v of 1 to 6", mean)
	}
	if mean, stderr := lowMean([]float32{5, 5, 5, 5}, 4); mean != 5 || stderr != 0 {
		t.Errorf("mean %v ± %v of equals", mean, stderr)
	}
}
