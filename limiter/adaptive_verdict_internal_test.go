package limiter

import (
	"math"
	"testing"
	"time"
)

// experimented has a make an experiment, a common one or one out of turn, and conclude it.
// Call i of it takes so many seconds; one that takes for ever is overdue.
func experimented(t *testing.T, a *adaptive, regular bool, latency func(i int) float64) {
	t.Helper()
	a.next, a.urgent = never, 0
	if regular {
		a.next, a.urgent = 0, never
	}
	if !a.begin(time.Second) {
		t.Fatal("no experiment")
	}
	for i := range int(a.wanted) {
		a.enrol(a.start)
		if x := latency(i); math.IsInf(x, 1) {
			a.overdue(a.start)
		} else {
			a.answered(a.start, x)
		}
	}
	a.conclude(State{Now: 2 * time.Second, Epoch: new(time.Time)})
}

// Out of turn other clients may not be experimenting, and their queue looks like a longer
// path: to believe it at once made one client of ten three times as great as the others.
// Nor is all of it queue if the latency before was as high by chance.
func TestExperimentOutOfTurnIsTakenAtItsWord(t *testing.T) {
	trial := func(regular bool, errorThen, low float64) *adaptive {
		a := Adaptive(AdaptiveConfig{Initial: 20}).(*adaptive)
		a.growing, a.suspect, a.base, a.baseError, a.goodLimit = false, true, 0.010, 0.0001, 20
		a.rate, a.mean, a.low, a.lowError, a.average, a.share = 1000, 0.020, 0.015, errorThen, 20, 1
		experimented(t, a, regular, func(int) float64 { return low })
		return a
	}
	if a := trial(true, 0.0001, 0.015); a.base < 0.0149 {
		t.Errorf("base %.4f s after a common experiment in which latency stayed at 0.015", a.base)
	}
	if a := trial(false, 0.0001, 0.015); a.base < 0.0114 || a.base > 0.0116 {
		t.Errorf("base %.4f s after one out of turn, want 0.0115", a.base)
	}
	if a := trial(false, 0.0001, 0.015); !a.longer {
		t.Error("the second one out of turn will not know that of the first")
	} else if a.control(State{Now: 3 * time.Second, Epoch: new(time.Time)}); a.longer {
		t.Error("what one out of turn has found is still held for a longer path when latency is good again")
	}
	for _, c := range []struct {
		errorThen float64
		all       bool
	}{{0.0001, true}, {0.0020, false}} {
		if a := trial(true, c.errorThen, 0.0105); (a.urgent == 2*time.Second) != c.all {
			t.Errorf("latency before ± %v s: another experiment at once: %v", c.errorThen, !c.all)
		}
	}
}

// Calls that wait in the same queue are alike, but the queue changes from round to round. One
// client of eight took twenty such answers for a longer path, and five times as much as the
// others for some seconds.
func TestChanceOfOneQueueIsTakenForALongerPath(t *testing.T) {
	for _, c := range []struct {
		what        string
		lows        []float64 // of the rounds before
		suspect     bool
		least, most float64 // the base, .010 before an experiment in which latency stays at .015
	}{
		{"all rounds are alike", []float64{0.015, 0.015}, false, 0.0149, 0.0151},
		// A path that was 6 ms longer cost four per cent of goodput while it was not believed.
		{"rounds differ by less than a longer path", []float64{0.0135, 0.0165}, false, 0.0149, 0.0151},
		{"rounds differ", []float64{0.012, 0.018}, false, 0.0114, 0.0116},
		{"they differ since latency has jumped", []float64{0.012, 0.018}, true, 0.0149, 0.0151},
	} {
		a := Adaptive(AdaptiveConfig{Initial: 20}).(*adaptive)
		a.growing, a.suspect, a.base, a.baseError, a.goodLimit = false, c.suspect, 0.010, 0.0001, 20
		a.duration, a.share, a.average = 0.05, 1, 20
		for i := range 40 {
			r := roundSums{successes: 50}
			for range 50 {
				r.latencies = append(r.latencies, float32(c.lows[i%2]))
				r.total += c.lows[i%2]
			}
			a.rounds++
			a.learn(r, State{Now: time.Second, Epoch: new(time.Time)})
		}
		a.base, a.baseError, a.low, a.lowError = 0.010, 0.0001, 0.015, 0.0001
		experimented(t, a, true, func(int) float64 { return 0.015 })
		if a.base < c.least || a.base > c.most {
			t.Errorf("%s: base %.4f, want %.4f to %.4f", c.what, a.base, c.least, c.most)
		}
	}
}

// Of a server that refuses calls when five wait, one experiment of a hundred found four
// answers so short that the base fell to a fifth, and goodput to .92 of the best.
func TestFewShortAnswersAmongRefusalsMakeABase(t *testing.T) {
	for _, refused := range []bool{false, true} {
		a := Adaptive(AdaptiveConfig{Initial: 20}).(*adaptive)
		a.growing, a.creeping, a.base, a.baseError = false, refused, 0.00135, 0.0001
		a.rate, a.mean, a.low, a.lowError, a.average, a.share = 2000, 0.010, 0.0014, 0.0001, 20, 1
		experimented(t, a, true, func(i int) float64 { return 0.00025 * float64(1+i/8) })
		if kept := a.base == 0.00135; kept != refused {
			t.Errorf("refusals hold the limit: %v; the base is %v s, 0.00135 before", refused, a.base)
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
		experimented(t, a, true, func(i int) float64 {
			if i < c.lost {
				return math.Inf(1)
			}
			return 0.060
		})
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
	experimented(t, a, false, func(int) float64 { return 0.043 })
	if a.base < 0.010 {
		t.Errorf("5 calls of %d lost: base %v s, 0.005 before", 45+a.wanted, a.base)
	}
}
