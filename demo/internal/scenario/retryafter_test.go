package scenario

import (
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// Calls come all the time, and but for the pauses each would be refused. Load that
// goes around the limiter knows of no pause.
func TestLimiterIgnoresRetryAfter(t *testing.T) {
	t.Parallel()
	w := &World{Name: "refusing", Phases: []Phase{{Long: 10 * time.Second, Ungraded: true, Setting: Setting{
		Server:  Server{Workers: 1, Service: Constant(ms), Faults: 1, FaultsRefuse: true, RetryAfter: time.Second},
		Clients: []Client{{Rate: 1000, Path: ms}, {Rate: 1000, Path: ms, Unlimited: true}},
	}}}}
	m := newSimulation(w, 1, false, func(int) limiter.Policy { return limiter.Fixed(1) })
	m.run()
	if n := m.seen.phases[0].counts.Refused; n != 10 {
		t.Errorf("%d calls were refused in 10 s, want one each second", n)
	}
	if d := m.gates[1].paused; d != 0 {
		t.Errorf("other load pauses until %v", d)
	}
}

// A pause says nothing about how many calls the server can do, and what is in flight
// is learnt from all the same: afterwards all is as before, at once.
func TestRetryAfterFreezesTheLimit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("looks for oracles")
	}
	adaptive := mustMake(t, "adaptive")
	w := mustName(t, "retry10s")
	lab := NewLab()
	for seed := range uint64(3) {
		p := lab.Run(w, adaptive, seed).Phases[2]
		if p.Share < 0.95 || !p.Converged || p.Settled > 12 { // of which 9 are the pause
			t.Errorf("seed %d: %.2f of the oracle's goodput, converged %v after %.1f s", seed, p.Share, p.Converged, p.Settled)
		}
	}
}
