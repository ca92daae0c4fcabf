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
		a.next, a.urgent = never, 0
		if c.regular {
			a.next, a.urgent = 0, never
		}
		if !a.begin(time.Second) {
			t.Fatal("no experiment")
		}
		a.late = 0.05
		for range a.wanted {
			a.enrol(a.start)
			a.observe(a.start, c.low)
		}
		a.conclude(State{Now: 2 * time.Second, Epoch: new(time.Time)})
		if a.compare != c.compare {
			t.Errorf("%s: what comes after it counts: %v", c.name, a.compare)
		}
		a.next, a.fresh = 0, true
		if !a.begin(3*time.Second) || a.late != 0.05 || a.compare {
			t.Errorf("%s: the next experiment has forgotten the way, or begins with a comparison", c.name)
		}
	}
}

// Callers give up after 80 ms and the server works on. Those that are answered have all
// waited for nearly as long, with half of the limit as well, which once was a longer path:
// in one run of a hundred and fifty goodput was a hundredth of the best for a minute.
func TestExperimentAmongLostCallsFindsALongerPath(t *testing.T) {
	for _, c := range []struct {
		lost      int
		goodLimit float64
		longer    bool
	}{
		{0, 27, true},
		{15, 27, false},
		{15, 40, true}, // the limit is half of the good one, and still they are lost
	} {
		a := Adaptive(AdaptiveConfig{Initial: 20}).(*adaptive)
		a.growing, a.suspect, a.base, a.baseError, a.goodLimit = false, true, 0.015, 0.0004, c.goodLimit
		a.rate, a.mean, a.low, a.lowError, a.average, a.share = 250, 0.080, 0.060, 0.001, 14, 1
		a.next = 0
		if !a.begin(time.Second) {
			t.Fatal("no experiment")
		}
		for i := range int(a.wanted) {
			a.enrol(a.start)
			if i < c.lost {
				a.overdue(a.start)
			} else {
				a.answered(a.start, 0.060)
			}
		}
		a.conclude(State{Now: 2 * time.Second, Epoch: new(time.Time)})
		if longer := a.base > 0.020; longer != c.longer {
			t.Errorf("%d of %d calls lost at 20, good was %v: base %v s, 0.015 before", c.lost, a.wanted, c.goodLimit, a.base)
		}
	}
}

// A longer path brought some calls beyond their deadlines. Counted since the latest round
// but compared with the answers of the experiment alone they seemed to be a fifth: no
// experiment told anything, and the limit stayed at half.
func TestCallsLostBeforeAnExperimentMakeItSayNothing(t *testing.T) {
	a := Adaptive(AdaptiveConfig{Initial: 20}).(*adaptive)
	a.growing, a.suspect, a.base, a.baseError, a.goodLimit = false, true, 0.005, 0.0004, 27
	a.rate, a.mean, a.low, a.lowError, a.average, a.share = 250, 0.055, 0.043, 0.001, 14, 1
	for range 5 {
		a.overdue(0)
	}
	for range 40 {
		a.answered(0, 0.043)
	}
	a.urgent = 0
	if !a.begin(time.Second) {
		t.Fatal("no experiment")
	}
	for range a.wanted {
		a.enrol(a.start)
		a.answered(a.start, 0.043)
	}
	a.conclude(State{Now: 2 * time.Second, Epoch: new(time.Time)})
	if a.base < 0.010 {
		t.Errorf("5 calls of %d lost: base %v s, 0.005 before", 45+a.wanted, a.base)
	}
}
