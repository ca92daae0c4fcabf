package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A Maker makes policies of one sort. To have another one compared, add a line
// to Makers.
type Maker struct {
	Name, About string
	New         func(Setup) limiter.Policy
}

// A Setup is what is known where a policy is made. Only the policies that are
// there for comparison may look at more than Initial and Seed.
type Setup struct {
	Initial int    // the limit to start from; 0 leaves it to the policy
	Seed    uint64 // another one for each client, so that those that probe by chance do not do it together

	// The oracle's limit for one client in each phase, and when each ends.
	// They are there only for makers that ask for the oracle. The client comes
	// at Born, and Ends count from there.
	Oracle []int
	Ends   []time.Duration
	Born   time.Duration
}

// The bounds within which every policy searches, so that none wins or loses by
// its defaults.
const (
	leastLimit   = 1
	mostLimit    = 1000
	usualInitial = 20 // where a policy starts that has no opinion
)

// Makers are all policies, in the order of the tables.
var Makers = []Maker{
	{oracleName, "knows the best fixed limit of each phase and changes with it: a check of the yardstick", func(s Setup) limiter.Policy {
		return &schedule{limits: s.Oracle, ends: s.Ends}
	}},
	{fixedName, "the best fixed limit of the first graded phase, for good; fixed-N has N", func(s Setup) limiter.Policy {
		return limiter.Fixed(s.Oracle[0])
	}},
	{"adaptive", "limiter.Adaptive as it comes", func(s Setup) limiter.Policy {
		return limiter.Adaptive(limiter.AdaptiveConfig{Initial: s.Initial, Min: leastLimit, Max: mostLimit})
	}},
	{"told", "adaptive that the server tells for how long each call has waited there: what a better estimate could reach", func(s Setup) limiter.Policy {
		return told{limiter.Adaptive(limiter.AdaptiveConfig{Initial: s.Initial, Min: leastLimit, Max: mostLimit})}
	}},
	{"aimd", "limiter.AIMD, after Netflix", func(s Setup) limiter.Policy {
		return limiter.AIMD(limiter.AIMDConfig{Initial: orElse(s.Initial, usualInitial), Min: leastLimit, Max: mostLimit})
	}},
	{"vegas", "limiter.Vegas, after Netflix", func(s Setup) limiter.Policy {
		return limiter.Vegas(limiter.VegasConfig{Initial: orElse(s.Initial, usualInitial), Min: leastLimit, Max: mostLimit, Seed: s.Seed})
	}},
	{"gradient2", "limiter.Gradient2, after Netflix", func(s Setup) limiter.Policy {
		return limiter.Gradient2(limiter.Gradient2Config{Initial: orElse(s.Initial, usualInitial), Min: leastLimit, Max: mostLimit})
	}},
	{"gradient", "limiter.Gradient, after Envoy", func(s Setup) limiter.Policy {
		return limiter.Gradient(limiter.GradientConfig{Max: mostLimit, Seed: s.Seed})
	}},
}

const (
	oracleName = "oracle"
	fixedName  = "fixed"
)

// needsOracle reports whether a maker asks for it.
func (m *Maker) needsOracle() bool { return m.Name == oracleName || m.Name == fixedName }

// MakerOf finds a maker by its name.
func MakerOf(name string) (Maker, error) {
	var names []string
	for _, m := range Makers {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	if digits, ok := strings.CutPrefix(name, fixedName+"-"); ok {
		if n, err := strconv.Atoi(digits); err == nil && n >= 1 && n <= 1_000_000 {
			return Maker{name, "a fixed limit", func(Setup) limiter.Policy { return limiter.Fixed(n) }}, nil
		}
	}
	return Maker{}, fmt.Errorf("unknown policy %q; valid are %s, and fixed-N with a whole number from 1 to 1000000", name, strings.Join(names, ", "))
}

// told is a policy that is told of the queue at the server, which only a simulated
// server does: one that shares itself among all calls has none.
type told struct{ limiter.Policy }

// schedule has one limit after the other.
type schedule struct {
	limits []int
	ends   []time.Duration
}

func (p *schedule) Next(s limiter.State) (int, time.Duration) {
	for len(p.ends) > 1 && s.Now >= p.ends[0] {
		p.limits, p.ends = p.limits[1:], p.ends[1:]
	}
	return p.limits[0], 0
}
func (p *schedule) Start(limiter.State)                  {}
func (p *schedule) Report(limiter.State, limiter.Result) {}

func orElse(chosen, otherwise int) int {
	if chosen > 0 {
		return chosen
	}
	return otherwise
}
