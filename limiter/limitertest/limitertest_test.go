package limitertest

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPolicyOfOursBreaksItsContract(t *testing.T) {
	for name, create := range map[string]func() limiter.Policy{
		"Unlimited": limiter.Unlimited,
		"Fixed":     func() limiter.Policy { return limiter.Fixed(3) },
		"Batch":     func() limiter.Policy { return limiter.Batch(3) },
		"Rate":      func() limiter.Policy { return limiter.Rate(100, 2) },
		"AIMD":      func() limiter.Policy { return limiter.AIMD(limiter.AIMDConfig{}) },
		"Vegas":     func() limiter.Policy { return limiter.Vegas(limiter.VegasConfig{}) },
		"Vegas, narrow": func() limiter.Policy {
			return limiter.Vegas(limiter.VegasConfig{Initial: 1, Max: 2, Smoothing: 0.5})
		},
		"Gradient2": func() limiter.Policy {
			return limiter.Gradient2(limiter.Gradient2Config{Min: 1, Window: 20 * time.Millisecond})
		},
		"Gradient": func() limiter.Policy {
			return limiter.Gradient(limiter.GradientConfig{Min: 1, Probe: time.Second})
		},
		"Adaptive": func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) },
		"Adaptive, narrow": func() limiter.Policy {
			return limiter.Adaptive(limiter.AdaptiveConfig{Initial: 1, Max: 2})
		},
		"All": func() limiter.Policy {
			return limiter.All(limiter.Fixed(3), limiter.Batch(5), limiter.Rate(100, 2), limiter.Adaptive(limiter.AdaptiveConfig{}))
		},
	} {
		t.Run(name, func(t *testing.T) { Run(t, create) })
	}
}

// The kit must find what it is there to find. A failing subtest fails its
// parents, so each broken policy is run in a process of its own.
func TestKitMissesABrokenPolicy(t *testing.T) {
	if name := os.Getenv("LIMITERTEST_BROKEN"); name != "" {
		Run(t, broken[name])
		return
	}
	for name := range broken {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run", "^TestKitMissesABrokenPolicy$")
			cmd.Env = append(os.Environ(), "LIMITERTEST_BROKEN="+name)
			if out, err := cmd.CombinedOutput(); err == nil {
				t.Errorf("passed:\n%s", out)
			}
		})
	}
}

var broken = map[string]func() limiter.Policy{
	"counts the questions":   func() limiter.Policy { return &counting{} },
	"draws lots":             func() limiter.Policy { return lots{} },
	"stops after refusals":   func() limiter.Policy { return &sulking{limit: 4} },
	"never stops waiting":    func() limiter.Policy { return putOff{} },
	"looks at the time":      func() limiter.Policy { return clockless{} },
	"waits for a call's end": func() limiter.Policy { return &leaking{} },
}

type silent struct{}

func (silent) Start(limiter.State)                  {}
func (silent) Report(limiter.State, limiter.Result) {}

type counting struct {
	silent
	asked int
}

func (c *counting) Next(limiter.State) (int, time.Duration) { c.asked++; return 1 + c.asked%3, 0 }

type lots struct{ silent }

func (lots) Next(s limiter.State) (int, time.Duration) {
	return 1 + rand.IntN(1000), 0 // this is the mistake
}

type putOff struct{ silent }

func (putOff) Next(limiter.State) (int, time.Duration) { return 1, time.Nanosecond }

// clockless says so and is not.
type clockless struct{ silent }

func (clockless) Clockless() {}

func (clockless) Next(s limiter.State) (int, time.Duration) { return 1 + int(s.Now/time.Minute)%2, 0 }

type sulking struct {
	silent
	limit int
}

func (s *sulking) Next(limiter.State) (int, time.Duration) { return s.limit, 0 }
func (s *sulking) Report(_ limiter.State, r limiter.Result) {
	if r.Outcome == limiter.Refused {
		s.limit--
	}
}

// leaking counts calls by itself and forgets those that were not answered.
type leaking struct{ running int }

func (l *leaking) Next(limiter.State) (int, time.Duration) { return 5 - l.running, 0 }
func (l *leaking) Start(limiter.State)                     { l.running++ }
func (l *leaking) Report(_ limiter.State, r limiter.Result) {
	if r.Outcome == limiter.Success {
		l.running--
	}
}
