package limiter

import (
	"math"
	"testing"
	"time"
)

// Calls of equal length come in waves. The first quarter of a wave waits for
// nobody, so the fastest quarter alone sees no queue at all.
func TestGaugeSeesNoQueueInWaves(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	wave := make([]float32, 40)
	for i := range wave {
		wave[i] = 0.010
		if i >= 20 {
			wave[i] = 0.020 // the second half waits for the first
		}
	}
	a.baseSpread = 1 // learnt when nothing waited
	low, _, spread := a.gauge(wave, len(wave))
	if low < 0.012 || spread < 1.3 {
		t.Errorf("ℓ = %v, spread %v: the wait of half of the calls is not seen", low, spread)
	}

	// The same answers of a service whose answers always differ are no queue.
	a.baseSpread = 1.5
	if low, _, _ := a.gauge(wave, len(wave)); math.Abs(low-0.010) > 1e-6 {
		t.Errorf("ℓ = %v of a mix, want that of the fastest quarter", low)
	}

	// Nor is a mix that has changed.
	for i := 10; i < len(wave); i++ {
		wave[i] = 0.100
	}
	a.baseSpread = 1
	if low, _, _ := a.gauge(wave, len(wave)); math.Abs(low-0.010) > 1e-6 {
		t.Errorf("ℓ = %v after a change of the mix", low)
	}
}

func TestTargetKeepsAReserveThatNothingNeeds(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	a.rate = 1000
	for _, c := range []struct{ limit, mean, low, least, most float64 }{
		{100, 0.100, 0.020, 3.9, 4.0}, // 120 calls at work by 1.5·X·v: the limit counts, 4.3 less what the gauge does not see
		{100, 0.100, 0.090, 1.5, 1.6}, // 15 at work: the others are on the path
		{100, 0.190, 0.180, 1.5, 1.6}, // as many, behind a path that is twice as long
		{400, 0.400, 0.390, 1.5, 1.6}, // or a queue
		{6, 0.100, 0.020, .98, 1.01},  // six at work: the root
		{100, 0.100, 0.100, 0.5, 0.5}, // all alike
		{100, 0.100, 0.101, 0.5, 0.5}, // ℓ of waves may be above the mean
		{1, 0.001, 0.0001, 0.5, 0.5},
	} {
		a.limit, a.mean, a.low = c.limit, c.mean, c.low
		if got := a.target(); !(got >= c.least && got <= c.most) {
			t.Errorf("limit %v, mean latency %v, ℓ %v: target %v, want %v to %v", c.limit, c.mean, c.low, got, c.least, c.most)
		}
	}
}

// A server that the first limit is already too much for has a queue from the start, and a
// base found in it knows of none: slow start went on for a round of many latencies.
func TestSlowStartGoesOnInAServerThatIsFullFromTheStart(t *testing.T) {
	for _, c := range []struct {
		what    string
		workers int
		growing bool
	}{{"full", 2, false}, {"free", 10, true}} {
		a := Adaptive(AdaptiveConfig{}).(*adaptive)
		state := func(now time.Duration) State { return State{Now: now, InFlight: 10, Queued: 9} }
		const service = 100 * time.Millisecond
		free := make([]time.Duration, c.workers) // when each of the workers is
		began := map[time.Duration][]time.Duration{}
		call := func(now time.Duration) {
			_, _ = a.Next(state(now))
			a.Start(state(now))
			i := 0
			for k := range free {
				if free[k] < free[i] {
					i = k
				}
			}
			free[i] = max(now, free[i]) + service
			began[free[i]] = append(began[free[i]], now)
		}
		for range 10 {
			call(1)
		}
		for now := 1 + service; a.rounds == 0; now += service {
			ended := began[now]
			delete(began, now)
			for _, started := range ended {
				a.Report(state(now), Result{Outcome: Success, Latency: now - started})
			}
			for range ended {
				call(now)
			}
		}
		if a.growing != c.growing || (a.urgent == never) != c.growing {
			t.Errorf("%s: in slow start: %v, an experiment is asked for: %v", c.what, a.growing, a.urgent != never)
		}
		if a.opening != nil {
			t.Errorf("%s: what slow start looked at once is kept for good", c.what)
		}
	}
}

// One in four times the first four calls are cheap if three of ten are dear. That they are
// alike was taken for certainty, and the later ones for a queue: with a first limit of 4
// slow start ended at once for each fifth Limiter of a free server.
func TestSlowStartEndsSinceTheFirstCallsAreCheap(t *testing.T) {
	var o opening
	for range 4 {
		o.early.add(0.010)
	}
	for i := range 44 {
		latency := 0.010
		if i%10 < 3 {
			latency = 0.050
		}
		o.later.add(latency)
	}
	if o.full() {
		t.Error("a mix of calls is taken for a full server")
	}
}

// hinting feeds a policy rounds of calls that take a tenth of a second, of which
// the far side tells how long they have waited.
func hinting(a *adaptive, rounds int, share float64, delay time.Duration) {
	now := time.Duration(1)
	for i := range rounds * 30 {
		limit, _ := a.Next(State{Now: now, InFlight: a.awaiting, Queued: 9})
		for a.awaiting < limit {
			a.Start(State{Now: now, InFlight: a.awaiting + 1, Queued: 9})
			_, _ = a.Next(State{Now: now, InFlight: a.awaiting, Queued: 9})
		}
		now += 100 * time.Millisecond / time.Duration(limit)
		r := Result{Outcome: Success, Latency: 100 * time.Millisecond}
		if float64(i%10) < 10*share {
			r.QueueDelay, r.Hinted = delay, true
		}
		a.Report(State{Now: now, InFlight: a.awaiting, Queued: 9}, r)
	}
}

func TestServersWordOnItsQueueIsNotTaken(t *testing.T) {
	// Latency is the same at all times, so the estimate sees no queue.
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	hinting(a, 40, 1, 50*time.Millisecond) // half of each call is queue
	if a.limit > 2 {
		t.Errorf("limit %.1f though half of all in flight wait", a.limit)
	}
	a = Adaptive(AdaptiveConfig{Max: 100}).(*adaptive)
	hinting(a, 40, 1, 0)
	if a.limit < 99 || a.running {
		t.Errorf("limit %.1f, experiment %v, though the far side says that nothing waits", a.limit, a.running)
	}
	a = Adaptive(AdaptiveConfig{Max: 100}).(*adaptive)
	a.told, a.share, a.average, a.mean, a.rate = true, 1, 10, 0.1, 100
	a.opening = &opening{early: moments{n: 10, sum: 1, squares: 0.1}, later: moments{n: 40, sum: 8, squares: 1.6}}
	if a.grow(State{Epoch: new(time.Time)}, 0, 1); !a.growing {
		t.Error("slow start has ended since the first calls were short, though the far side says that nothing waits")
	}
	a = Adaptive(AdaptiveConfig{Max: 100}).(*adaptive)
	hinting(a, 40, 0.2, time.Second)
	if a.limit < 20 {
		t.Errorf("limit %.1f: one hint in five is taken for all", a.limit)
	}
}

// While a Retry-After holds all calls back nobody is held back by the limit: it
// must not grow. What the calls in flight report is learnt all the same.
func TestRetryAfterIsTakenForDemand(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	for now := time.Duration(1); now < 10*time.Second; now += 20 * time.Millisecond {
		a.Start(State{Now: now, InFlight: 1, Queued: 50})
		_, _ = a.Next(State{Now: now, InFlight: 1, Queued: 50}) // paused: one of ten places is taken
		a.Report(State{Now: now + 10*time.Millisecond, InFlight: 1, Queued: 50}, Result{Outcome: Success, Latency: 10 * time.Millisecond})
	}
	if a.limit != 10 || a.rounds < 3 || a.rate == 0 {
		t.Errorf("limit %.1f after %d rounds with %.0f answers a second", a.limit, a.rounds, a.rate)
	}
}

// All calls start with the first round, so its first answers are those of the shortest
// calls: a base found from them is too low, and a service of two seconds was held at
// half of its goodput for a minute.
func TestFirstRoundKnowsOnlyTheShortestCalls(t *testing.T) {
	for _, first := range []float64{0, 3600} { // a Limiter may be made long before it is used
		a := Adaptive(AdaptiveConfig{}).(*adaptive)
		at := func(seconds float64) State {
			return State{Now: duration(first + seconds), InFlight: 10, Queued: 9}
		}
		for range 10 {
			_, _ = a.Next(at(0))
			a.Start(at(0))
		}
		for i := range 7 {
			now := 0.5 + 0.2*float64(i)
			a.Report(at(now), Result{Outcome: Success, Latency: duration(now)})
			a.Start(at(now))
		}
		if a.rounds != 0 {
			t.Errorf("first call after %v s: the first round has ended with base %.2f s while most of the first calls are in flight", first, a.base)
		}
	}
}

// The base of the first round is that of the fastest quarter of all calls, and those
// under way are some of them. Those that have been answered are not, though the body of
// an answer may be held for long.
func TestFirstRoundTakesAnsweredCallsForLongOnes(t *testing.T) {
	for _, c := range []struct {
		underWay, held int
		want           float64 // the mean of the fastest quarter, in ms
	}{{0, 0, 6.5}, {0, 100, 6.5}, {48, 48, 12.5}} {
		a := Adaptive(AdaptiveConfig{}).(*adaptive)
		for range 48 + c.underWay {
			a.Start(State{Now: 1, InFlight: 10})
		}
		for i := range 48 {
			latency := time.Duration(i+1) * time.Millisecond
			a.Report(State{Now: 1 + latency, InFlight: c.held + 1}, Result{Outcome: Success, Latency: latency})
		}
		if a.rounds != 1 || math.Abs(1000*a.base-c.want) > 0.01 {
			t.Errorf("%d under way, %d places held: base %.2f ms after %d rounds, want %v", c.underWay, c.held, 1000*a.base, a.rounds, c.want)
		}
	}
}

// The least time of a round follows from the mean latency of the one before. One answer
// that had taken ten minutes made that mean 25 s, and nothing was learnt for most of a minute.
func TestOneLateAnswerStopsLearning(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	now := time.Duration(1)
	answer := func(latency time.Duration) {
		a.Start(State{Now: now, InFlight: 1})
		now += time.Millisecond
		a.Report(State{Now: now, InFlight: 1}, Result{Outcome: Success, Latency: latency})
	}
	for range 200 {
		answer(10 * time.Millisecond)
	}
	now += 10 * time.Minute
	answer(10 * time.Minute)
	before := a.rounds
	for range 1000 {
		answer(10 * time.Millisecond)
	}
	if a.rounds < before+5 {
		t.Errorf("%d rounds in the second after an answer that came late, mean latency %.1f s", a.rounds-before, a.mean)
	}
}

// The least of the first short rounds is low by chance. Taken for the base it ended slow
// start at a fifth of what the server could do, and to find out took a minute.
func TestSlowStartBelievesTheLeastOfItsRounds(t *testing.T) {
	for _, growing := range []bool{true, false} {
		a := Adaptive(AdaptiveConfig{}).(*adaptive)
		a.growing, a.rounds, a.base, a.baseError, a.maxRate, a.duration, a.share = growing, 5, 0.030, 0.0001, 1, 1, 1
		latencies := make([]float32, 24)
		for i := range latencies {
			latencies[i] = 0.020 + 0.0001*float32(i)
		}
		for range 2 {
			a.learn(roundSums{successes: 24, total: 24 * 0.021, latencies: latencies}, State{Now: time.Second, Epoch: new(time.Time)})
		}
		if fell := a.base < 0.029; fell == growing {
			t.Errorf("in slow start: %v; base %.4f s after two rounds of 0.020", growing, a.base)
		}
	}
}
