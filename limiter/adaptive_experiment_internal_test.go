package limiter

import (
	"math"
	"testing"
	"time"
)

// An experiment that all clients make together has to last for longer than their clocks
// are off, and can then be shallow; one out of turn, or while refusals hold the limit, is
// short and has to be deep enough to show. After a jump of latency twenty calls are too few,
// but of calls that take seconds sixty held the limit down for a minute and a half.
func TestExperimentIsTooShortForOtherClocksOrTooDeep(t *testing.T) {
	for _, c := range []struct {
		inFlight, rate    float64
		outOfTurn, refuse bool
		jumped            bool
		lowered           float64
		wanted, every     int32
	}{
		{inFlight: 64, rate: 1000, lowered: 56, wanted: 175, every: 1}, // .2 s at 56/64 of 1000/s
		{inFlight: 64, rate: 16000, lowered: 56, wanted: 2800, every: 7},
		{inFlight: 64, rate: 100, lowered: 56, wanted: 112, every: 1}, // two latencies of .64 s
		{inFlight: 64, rate: 1000, outOfTurn: true, lowered: 42, wanted: 84, every: 1},
		{inFlight: 64, rate: 1000, refuse: true, lowered: 42, wanted: 84, every: 1},
		{inFlight: 3, rate: 10, lowered: 1, wanted: 6, every: 1}, // never more than a half
		{inFlight: 16, rate: 100, lowered: 12, wanted: 24, every: 1},
		{inFlight: 16, rate: 100, jumped: true, lowered: 12, wanted: 60, every: 1},
		{inFlight: 16, rate: 100, jumped: true, outOfTurn: true, lowered: 10, wanted: 20, every: 1},
		{inFlight: 16, rate: 40, jumped: true, lowered: 12, wanted: 40, every: 1},
		{inFlight: 12, rate: 2, jumped: true, lowered: 8, wanted: 20, every: 1},
		{inFlight: 3, rate: 10, jumped: true, lowered: 1, wanted: 6, every: 1},
	} {
		a := Adaptive(AdaptiveConfig{Initial: 64}).(*adaptive)
		a.rate, a.average, a.share, a.creeping = c.rate, c.inFlight, 1, c.refuse
		a.suspect = c.jumped
		a.mean = c.inFlight / c.rate
		if c.outOfTurn {
			a.urgent = 0
		} else {
			a.next = 0
		}
		if !a.begin(time.Second) {
			t.Fatalf("%+v: no experiment", c)
		}
		if e := a.trial; e.lowered != c.lowered || e.wanted != c.wanted || e.every != c.every {
			t.Errorf("%+v: lowered to %v for %d calls, one of %d kept", c, e.lowered, e.wanted, e.every)
		}
	}
}

// Of fast calls an experiment keeps one latency of many. If the callers stop coming in the
// midst of it none may have been kept, or one, of which no error is known: that once was
// a panic under the Limiter's lock, or a base found from one call.
func TestExperimentThatRunsDryPanics(t *testing.T) {
	for started := range 40 {
		a := Adaptive(AdaptiveConfig{Initial: 64}).(*adaptive)
		a.rate, a.average, a.share, a.mean, a.low, a.lowError = 16000, 64, 1, 0.004, 0.004, 0.0001
		a.base, a.baseError, a.next = 0.004, 0.0001, 0
		if !a.begin(time.Second) || a.every != 7 {
			t.Fatal("no experiment that keeps one of seven")
		}
		for range started {
			a.Start(State{Now: time.Second, InFlight: 1})
			a.Report(State{Now: time.Second + time.Millisecond, InFlight: 1}, Result{Outcome: Success, Latency: time.Millisecond})
		}
		limit, _ := a.Next(State{Now: time.Minute})
		if a.running {
			t.Errorf("after %d calls: it goes on long after its deadline", started)
		}
		if started < 4*7 && (limit != 64 || a.base != 0.004) {
			t.Errorf("after %d calls: limit %d, base %v from less than four latencies", started, limit, a.base)
		}
	}
}

// Calls that fail, and those given up early, say nothing of latency. They once counted as
// long ones of the cohort: where they were more than three of five no experiment came to
// a verdict, and a longer path was taken for a queue for good.
func TestExperimentAmongFailingCallsFindsNothing(t *testing.T) {
	for _, o := range []Outcome{Ignored, Failed, Cancelled} {
		a := Adaptive(AdaptiveConfig{Initial: 64}).(*adaptive)
		a.rate, a.average, a.share, a.mean, a.low, a.lowError = 1000, 64, 1, 0.064, 0.064, 0.0001
		a.base, a.baseError, a.next = 0.032, 0.0001, 0
		if !a.begin(time.Second) {
			t.Fatal("no experiment")
		}
		now := time.Second
		for a.running {
			for range a.whole {
				a.Start(State{Now: now, InFlight: 1})
			}
			now += 64 * time.Millisecond
			for i := range a.whole {
				r := Result{Outcome: o, Latency: 40 * time.Millisecond}
				if i%4 == 0 {
					r = Result{Outcome: Success, Latency: 64 * time.Millisecond}
				}
				a.Report(State{Now: now, InFlight: 1}, r)
			}
		}
		if math.Abs(a.base-0.064) > 1e-6 {
			t.Errorf("%v: base %.3f s after an experiment in which latency stayed at 0.064 s", o, a.base)
		}
	}
}

// Of fifty rounds in a second one is always far above the one before by chance. Each took
// a third of the calls out, and moved the base by the noise of twenty answers.
func TestOneNoisyRoundMakesAnExperiment(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	a.growing, a.limit, a.rate, a.mean, a.share, a.average = false, 20, 2000, 0.010, 1, 20
	a.base, a.lowError, a.goodLow, a.goodLimit = 0.001, 0.0001, 0.001, 20
	round := func(low float64) {
		a.low = low
		a.queueBefore, a.queue = a.queue, a.rate*(low-a.base)
		a.control(State{Now: time.Second, Epoch: new(time.Time)})
	}
	for range 3 {
		round(0.006)
		if a.suspect || a.urgent != never {
			t.Fatal("an experiment after one round")
		}
		round(0.001)
	}
	round(0.006)
	round(0.006)
	if !a.suspect || a.urgent == never {
		t.Error("none after two in a row")
	}
}

// Two experiments with no round between them would compare the second with what
// was before the first, and a client in such a loop learns nothing for good.
func TestExperimentComparesWithStaleEstimates(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	a.next = 0
	if a.due(time.Second) {
		t.Error("an experiment is due before the first round has ended")
	}
	a.fresh = true
	if !a.due(time.Second) {
		t.Fatal("none is due after it")
	}
	a.rate, a.average, a.share, a.mean, a.low = 100, 10, 1, 0.1, 0.1
	if !a.begin(time.Second) || a.due(time.Hour) {
		t.Error("another one is due while the first has not been followed by a round")
	}
}

// A few callers whose limit is just enough are held back by nothing, and all that they
// have in flight may be queue: without experiments that would be for good.
func TestLimitThatIsJustEnoughIsNeverTried(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	a.fresh, a.next, a.rate, a.mean, a.low, a.average = true, 0, 100, 0.1, 0.1, 9
	if !a.due(time.Second) || !a.begin(time.Second) {
		t.Error("no experiment with nine of ten places taken")
	}
	a = Adaptive(AdaptiveConfig{}).(*adaptive)
	a.fresh, a.next, a.rate, a.mean, a.low, a.average = true, 0, 100, 0.1, 0.1, 5
	if a.begin(time.Second) {
		t.Error("an experiment with half of the places free")
	}
}
