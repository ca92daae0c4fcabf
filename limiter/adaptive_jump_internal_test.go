package limiter

import (
	"math"
	"testing"
	"time"
)

// A server of one worker answers a hundred times a second. In an experiment of twenty calls
// latency stayed as it was, by chance, and the queue was taken for a longer path: in one run
// of thirty the limit stayed at ten, where one is best, for a quarter of a minute. But when
// it goes back to what it was in good times, latency rises with it, as on no path.
func TestLongerPathIsBelievedThoughLatencyRisesWithTheLimit(t *testing.T) {
	for _, c := range []struct {
		what    string
		average float64
		lows    []float64 // of the rounds after the experiment, of which all calls took .1 s
		base    float64   // .001 before it
	}{
		{"as by Little's law", 20, []float64{0.1, 0.2}, 0.0505},
		{"so a round later", 20, []float64{0.1, 0.1, 0.2}, 0.0505},
		{"as it was", 20, []float64{0.1, 0.1, 0.1}, 0.1},
		{"by a third of that", 20, []float64{0.1, 0.133, 0.133}, 0.1},
		{"by seven tenths, since the knee is just above the experiment's limit", 20, []float64{0.1, 0.163, 0.163}, 0.1},
		{"only in calls that had begun before", 20, []float64{0.2, 0.1, 0.1}, 0.1},
		{"long after", 20, []float64{0.1, 0.1, 0.1, 0.2}, 0.1},
		{"though there are no more calls", 11, []float64{0.1, 0.2, 0.2}, 0.1},
	} {
		a := Adaptive(AdaptiveConfig{Initial: 20}).(*adaptive)
		a.growing, a.suspect, a.base, a.baseError, a.goodLimit, a.goodLow = false, true, 0.001, 0.0001, 20, 0.001
		a.limit, a.rate, a.mean, a.low, a.lowError, a.average, a.share = 15, 100, 0.15, 0.1, 0.0001, 15, 1
		experimented(t, a, true, func(int) float64 { return 0.1 })
		if math.Abs(a.base-0.1) > 1e-6 || a.limit != 20 {
			t.Fatalf("base %v, limit %v after an experiment in which latency stayed at .1 s", a.base, a.limit)
		}
		for _, low := range c.lows {
			a.low, a.average = low, c.average
			a.queueBefore, a.queue = a.queue, a.rate*math.Max(0, a.low-a.base)
			a.control(State{Now: 3 * time.Second, Epoch: new(time.Time)})
		}
		if math.Abs(a.base-c.base) > 1e-6 {
			t.Errorf("latency rises %s: base %.4f, want %.4f", c.what, a.base, c.base)
		}
		if c.base < 0.1 && (a.longer || a.holds()) {
			t.Errorf("latency rises %s: a longer path still, %v, or the limit may not fall, %v", c.what, a.longer, a.holds())
		}
	}
}
