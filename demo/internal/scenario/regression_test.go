package scenario

import (
	"slices"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// On these two seeds of forty Adaptive once stood still at three times what the
// server could do: callers gave up at exactly one and a half times the mean
// latency, queue included, and so were taken for impatient.
func TestQueueMakesGivingUpLookEarly(t *testing.T) {
	w := mustName(t, "cancel")
	m := mustMake(t, "adaptive")
	lab := NewLab()
	for _, seed := range []uint64{2000, 2029} {
		for _, p := range lab.Run(w, m, seed).Phases {
			if p.Graded && p.Share < 0.8 {
				t.Errorf("seed %d: in phase %s goodput is %.2f of the best", seed, p.Name, p.Share)
			}
		}
	}
}

// A client whose clock is early ended its experiments before the others and got 1.4 times
// as much. The mean index was .947 on hundred seeds, and .979 once the clients moved their
// experiments towards each other.
func TestClientsWithOtherClocksShareUnequally(t *testing.T) {
	t.Parallel()
	w := mustName(t, "skew100")
	m := mustMake(t, "adaptive")
	lab := NewLab()
	sum, seeds := 0.0, 12
	for seed := range seeds {
		phases := lab.Run(w, m, uint64(seed)).Phases
		sum += phases[len(phases)-1].Jain
	}
	if mean := sum / float64(seeds); mean < 0.965 {
		t.Errorf("Jain's index is %.3f", mean)
	}
}

// A path became longer by 38 ms, and one call of seven missed its deadline. Those that did
// so before an experiment were counted as of it: it told nothing, the path was taken for a
// queue, and goodput was .6 of the best in one run of six. With a fifth missing theirs it
// was .4 in the mean, and with more, given up by their callers, .2.
func TestLongerPathWithSomeCallsLostIsTakenForAQueue(t *testing.T) {
	t.Parallel()
	m := mustMake(t, "adaptive")
	lab := NewLab()
	for _, c := range []struct {
		timeout, giveUp time.Duration
		least           float64
	}{{70 * ms, 0, 0.75}, {80 * ms, 0, 0.92}, {0, 58 * ms, 0.75}} {
		w := &World{Name: "lost"}
		for _, path := range []time.Duration{2 * ms, 40 * ms} {
			w.Phases = append(w.Phases, Phase{Long: time.Minute, Setting: Setting{
				Server:  Server{Kind: FIFO, Workers: 20, Service: Exponential(20 * ms)},
				Clients: []Client{{Callers: 100, Path: path, Timeout: c.timeout, GiveUp: c.giveUp}},
			}})
		}
		sum, seeds := 0.0, 6
		for seed := range seeds {
			sum += lab.Run(w, m, uint64(7000+seed)).Phases[1].Share
		}
		if mean := sum / float64(seeds); mean < c.least {
			t.Errorf("deadlines of %v: goodput is %.2f of the best", c.timeout+c.giveUp, mean)
		}
	}
}

// The quiet that a Retry-After asks for was once taken for a slow service: the queue
// looked small, the limit stayed too high, and each return from a pause was refused
// again. Goodput was a tenth of what there was.
func TestPauseIsTakenForASlowService(t *testing.T) {
	m := mustMake(t, "adaptive")
	lab := NewLab()
	for _, name := range []string{"retry503", "retry429"} {
		w := mustName(t, name)
		for seed := range uint64(3) {
			for _, p := range lab.Run(w, m, seed).Phases {
				if p.Graded && p.Share < 0.75 {
					t.Errorf("%s, seed %d: in phase %s goodput is %.2f of the best", name, seed, p.Name, p.Share)
				}
			}
		}
	}
}

// Calls that were sent together come back refused together: one message, not a
// hundred. A rule that cuts by a share for each is at its minimum after the first.
func TestHundredRefusalsOfOneMomentCutMoreThanHalf(t *testing.T) {
	t.Parallel()
	p := limiter.Adaptive(limiter.AdaptiveConfig{Initial: 20}) // of a limit that was higher a moment ago
	epoch := time.Unix(1_700_000_000, 0)
	s := limiter.State{Epoch: &epoch, Queued: 50}
	before, _ := p.Next(s)
	for range 100 {
		s.InFlight++
		p.Start(s)
	}
	for i := range 100 {
		s.Now, s.InFlight = 20*ms+time.Duration(i)*10*time.Microsecond, 100-i
		p.Report(s, limiter.Result{Outcome: limiter.Refused, Latency: s.Now})
	}
	if after, _ := p.Next(s); after < before/2 || after == before {
		t.Errorf("limit %d after 100 refusals at %d, want less, but at least half", after, before)
	}
}

// The seed decides where a change lies between two experiments. One that comes in the
// middle of an experiment is mistaken for its result, but not for long.
func TestChangeDuringAnExperimentIsLost(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("looks for oracles")
	}
	adaptive := mustMake(t, "adaptive")
	step := mustName(t, "step")
	w := *step
	w.Phases = slices.Clone(w.Phases)
	for i := range w.Phases {
		w.Phases[i].Long = 12 * time.Second
	}
	lab := NewLab()
	for seed := range uint64(30) {
		for _, p := range lab.Run(&w, adaptive, seed).Phases {
			if p.Graded && (p.Share < 0.9 || !p.Converged || p.Settled > 6) {
				t.Errorf("seed %d, workers to %s: %.2f of the best goodput, converged %v after %.1f s", seed, p.Name, p.Share, p.Converged, p.Settled)
			}
		}
	}
}

// One call in a hundred that is refused whatever the limit is no reason for a limit of
// one. Single runs may lose a few per cent, since it takes until the limit is at half to
// find that out, so it is the mean of many that counts.
func TestRefusalsWhateverTheLimitBringItDown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("looks for oracles")
	}
	adaptive := mustMake(t, "adaptive")
	lab := NewLab()
	for _, name := range []string{"refused1", "refused5"} {
		w := mustName(t, name)
		mean := 0.0
		for seed := range uint64(20) {
			p := lab.Run(w, adaptive, seed).Phases[1]
			mean += p.Share / 20
			if p.Share < 0.7 || p.P50x > 1.3 {
				t.Errorf("%s, seed %d: %.2f of the oracle's goodput, %.2f times the median latency", name, seed, p.Share, p.P50x)
			}
		}
		if mean < 0.98 {
			t.Errorf("%s: %.3f of the oracle's goodput", name, mean)
		}
	}
}

// Twenty workers become one, and the queue was taken for a longer path by chance: in one run
// of thirty the limit was still above four after ten seconds, and in one of twenty after 7.5.
func TestLimitStaysUpSinceAnExperimentWasWrong(t *testing.T) {
	t.Parallel()
	w := mustName(t, "timeouts")
	m := mustMake(t, "adaptive")
	lab := NewLab()
	var seconds []float64
	for seed := range uint64(200) {
		phases := lab.Run(w, m, seed).Phases
		seconds = append(seconds, fallsTo(4)(&phases[len(phases)-1]))
	}
	slices.Sort(seconds)
	if late := seconds[190]; late > 6.5 {
		t.Errorf("one run of twenty takes more than %.1f s", late)
	}
}
