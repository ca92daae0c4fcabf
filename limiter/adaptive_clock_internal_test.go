package limiter

import (
	"math"
	"testing"
	"time"
)

// The first of eight clients whose clocks were off by up to 0.1 s got 1.4 times as much as
// the others, since its experiments were over before theirs.
func TestClientWhoseClockIsEarlyStaysEarly(t *testing.T) {
	afterOne := func(low float64, n int) *adaptive {
		a := Adaptive(AdaptiveConfig{}).(*adaptive)
		a.trial, a.limitThen = new(trial), a.limit
		for range n {
			a.compare, a.lowThen, a.errorThen = true, 0.020, 0.0005
			a.low, a.lowError = low, 0.0005
			a.align()
		}
		return a
	}
	for _, c := range []struct {
		low  float64
		n    int
		late float64
	}{
		{0.015, 1, 0.025},  // the others are still at it: begin later
		{0.025, 1, -0.025}, // they had begun before: begin sooner
		{0.021, 1, 0},      // that may be chance
		{0.015, 2, 0.0475},
		{0.015, 1000, 0.25},
		{0.025, 1000, -0.25},
	} {
		a := afterOne(c.low, c.n)
		if math.Abs(float64(a.late)-c.late) > 1e-4 {
			t.Errorf("ℓ %v after %d experiments, 0.020 before: the grid is %v s later, want %v", c.low, c.n, a.late, c.late)
		}
		wall := time.Unix(1_700_000_000, 0)
		s := State{Epoch: &wall}
		a.mean = 0.020
		a.plan(s)
		if at := wall.Add(a.next - duration(float64(a.late))); at.UnixNano()%int64(period) != 0 {
			t.Errorf("%v s later: the next experiment is at %v", a.late, wall.Add(a.next))
		}
	}
	a := afterOne(0.015, 1)
	a.low = 0.025
	a.align()
	if math.Abs(float64(a.late)-0.025) > 1e-4 {
		t.Error("one round after an experiment has been compared twice")
	}
	a.compare, a.limit = true, a.limit-1
	a.align()
	if math.Abs(float64(a.late)-0.025) > 1e-4 {
		t.Error("a refusal after the experiment has made latency look like other clients' doing")
	}
	a.low, a.limit = 0.020, a.limitThen
	for range 50 {
		a.compare = true
		a.align()
	}
	if math.Abs(float64(a.late)) > 0.001 {
		t.Errorf("still %v s late after fifty experiments that say nothing", a.late)
	}
}

// A round at another limit has another latency for that reason alone, and after one out of
// turn the others have not been experimenting.
func TestGridMovesByWhatOtherClientsHaveNotDone(t *testing.T) {
	for _, c := range []struct {
		name    string
		regular bool
		low     float64
		compare bool
	}{
		{"common, nothing changed", true, 0.0100, true},
		{"out of turn", false, 0.0100, false},
		{"all of it was queue", true, 0.0010, false},
	} {
		a := Adaptive(AdaptiveConfig{Initial: 20}).(*adaptive)
		a.growing, a.base, a.baseError, a.goodLimit = false, 0.010, 0.0002, 20
		a.rate, a.mean, a.low, a.lowError, a.average, a.share = 2000, 0.015, 0.0105, 0.0002, 20, 1
		a.trial = &trial{late: 0.05}
		experimented(t, a, c.regular, func(int) float64 { return c.low })
		if a.compare != c.compare {
			t.Errorf("%s: what comes after it counts: %v", c.name, a.compare)
		}
		a.next, a.fresh = 0, true
		if !a.begin(3*time.Second) || a.late != 0.05 || a.compare {
			t.Errorf("%s: the next experiment has forgotten the way, or begins with a comparison", c.name)
		}
	}
}
