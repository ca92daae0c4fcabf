package experiment

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/time/rate"

	"github.com/tidegate-go/tidegate/limiter"
)

// The names of the policies, as --policies takes them.
const (
	Unbounded = "unbounded"
	Batch     = "batch"
	Fixed     = "fixed"
	Rate      = "rate"
	Adaptive  = "adaptive"
	AIMD      = "aimd"
	Vegas     = "vegas"
	Gradient2 = "gradient2"
	Gradient  = "gradient"
	Pool      = "pool" // of the postgres experiment only
)

// PolicyNames are all names, in the order of the tables.
var PolicyNames = []string{Unbounded, Batch, Fixed, Rate, Adaptive, AIMD, Vegas, Gradient2, Gradient, Pool}

// DefaultPolicies run when nobody chooses.
var DefaultPolicies = []string{Unbounded, Batch, Fixed, Rate, Adaptive, AIMD, Vegas, Gradient2, Pool}

// Worthwhile leaves out the policies that search where nothing pushes back, but for
// Adaptive up to 10,000 tasks: nothing is compared there but how fast a limit grows
// that need not be. Gradient2 takes a minute and a half for 10,000 sleeps, and
// Adaptive 18 s for 100,000.
func Worthwhile(w Workload, n int, names []string) []string {
	if _, sleeps := w.(*Sleep); !sleeps {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.Contains(Searching, name) && (name != Adaptive || n > 10_000)
	})
}

// Searching are the policies that find their limit while they run.
var Searching = []string{Adaptive, AIMD, Vegas, Gradient2, Gradient}

// A Policy is a policy with its parameters chosen. How many calls it lets be in
// flight is spelled out in fields of which the ones that do not apply are zero:
// floors and predictions are made from them.
type Policy struct {
	Name   string
	Params map[string]any // as they go into the JSON
	Text   string         // for tables, with the parameters

	Limit int     // the most at once
	Size  int     // of a batch
	Rate  float64 // starts per second
	Burst int     // starts at once after a pause

	// Searches says that the policy finds its limit while it runs, so that
	// nobody can say beforehand how many calls it will let be in flight.
	Searches bool

	// Chosen says that a parameter is the user's choice and not derived from
	// what is known of the far side.
	Chosen bool

	// Python runs the tasks in place of this program, if it is set; Runtime is
	// then its name.
	Python  *Asyncio
	Runtime string

	// New makes the limiter's policy. Each run needs a new one.
	New func() limiter.Policy
}

// Choices are parameters that take the place of the ones that an experiment
// derives from what it knows. Zero leaves the choice to the experiment.
type Choices struct {
	Limit int     // of fixed, and the size of pool
	Batch int     // tasks of a batch
	Rate  float64 // starts per second

	Initial int // limit of the policies that search for it
}

// suggestion is what an experiment would choose.
type suggestion struct {
	limit   int     // for fixed
	rate    float64 // for rate
	burst   int
	initial int // where the searching policies begin
	highest int // up to where they may go
	pool    int // connections; 0 if the experiment knows no pool

	params map[string]any // what else a reader of the JSON should know
}

// batches is into how many batches the post divides its tasks.
const batches = 5

// initialLimit is what the searching policies start from where calls can fail:
// low enough to harm nothing, whatever is called.
const initialLimit = 10

// gradientLeast is what Envoy lowers the limit to, to measure the latency
// without a queue.
const gradientLeast = 3

// newPolicy makes the policy of that name for n tasks. It reports false for a
// policy that the experiment does not know.
func newPolicy(name string, n int, c Choices, s suggestion) (Policy, bool) {
	switch name {
	case Unbounded:
		return Policy{Name: name, Text: name, Params: map[string]any{}, New: limiter.Unlimited}, true
	case Batch:
		// Rounded up, so that a remainder makes the last batch smaller and
		// not a sixth one necessary.
		size := orElse(c.Batch, (n+batches-1)/batches)
		return Policy{
			Name: name, Text: fmt.Sprintf("batch %d", size), Size: size, Chosen: c.Batch > 0,
			Params: map[string]any{"size": size, "batches": (n + size - 1) / size},
			New:    func() limiter.Policy { return limiter.Batch(size) },
		}, true
	case Fixed:
		limit := orElse(c.Limit, s.limit)
		return Policy{
			Name: name, Text: fmt.Sprintf("fixed %d", limit), Limit: limit, Chosen: c.Limit > 0,
			Params: map[string]any{"limit": limit},
			New:    func() limiter.Policy { return limiter.Fixed(limit) },
		}, true
	case Rate:
		perSecond, burst := s.rate, s.burst
		if c.Rate > 0 {
			perSecond, burst = c.Rate, max(1, int(min(c.Rate/100, math.MaxInt32)))
		}
		return Policy{
			Name: name, Text: "rate " + strconv.FormatFloat(perSecond, 'f', -1, 64) + "/s", Rate: perSecond, Burst: burst, Chosen: c.Rate > 0,
			Params: map[string]any{"per_second": perSecond, "burst": burst},
			New:    func() limiter.Policy { return limiter.Rate(rate.Limit(perSecond), burst) },
		}, true
	case Adaptive:
		initial, highest := s.search(c)
		return searching(name, initial, highest, c, func() limiter.Policy {
			return limiter.Adaptive(limiter.AdaptiveConfig{Initial: initial, Min: 1, Max: highest})
		}), true
	case AIMD:
		initial, highest := s.search(c)
		return searching(name, initial, highest, c, func() limiter.Policy {
			return limiter.AIMD(limiter.AIMDConfig{Initial: initial, Min: 1, Max: highest})
		}), true
	case Vegas:
		initial, highest := s.search(c)
		return searching(name, initial, highest, c, func() limiter.Policy {
			return limiter.Vegas(limiter.VegasConfig{Initial: initial, Min: 1, Max: highest})
		}), true
	case Gradient2:
		initial, highest := s.search(c)
		return searching(name, initial, highest, c, func() limiter.Policy {
			return limiter.Gradient2(limiter.Gradient2Config{Initial: initial, Min: 1, Max: highest})
		}), true
	case Gradient:
		least, highest := min(gradientLeast, s.highest), s.highest
		return Policy{
			Name: name, Text: fmt.Sprintf("%s %d", name, least), Searches: true,
			Params: map[string]any{"min": least, "max": highest},
			New: func() limiter.Policy {
				return limiter.Gradient(limiter.GradientConfig{Min: least, Max: highest})
			},
		}, true
	case Pool:
		if s.pool == 0 {
			return Policy{}, false
		}
		size := orElse(c.Limit, s.pool)
		// The pool is the limit here, so the limiter has none: it counts.
		return Policy{
			Name: name, Text: fmt.Sprintf("pool of %d", size), Limit: size, Chosen: c.Limit > 0,
			Params: map[string]any{"connections": size},
			New:    limiter.Unlimited,
		}, true
	}
	return Policy{}, false
}

// search returns the limit from which the searching policies start, and the
// highest one.
func (s suggestion) search(c Choices) (initial, highest int) {
	initial = orElse(c.Initial, s.initial)
	return initial, max(initial, s.highest)
}

func searching(name string, initial, highest int, c Choices, make func() limiter.Policy) Policy {
	return Policy{
		Name: name, Text: fmt.Sprintf("%s %d", name, initial), Searches: true, Chosen: c.Initial > 0,
		Params: map[string]any{"initial": initial, "min": 1, "max": highest},
		New:    make,
	}
}

// Policies makes the policies of those names that w knows, for n tasks, in the
// order of the tables.
func Policies(w Workload, names []string, n int, c Choices) []Policy {
	var policies []Policy
	for _, name := range PolicyNames {
		if !slices.Contains(names, name) {
			continue
		}
		s := w.suggest(n)
		if p, ok := newPolicy(name, n, c, s); ok {
			maps.Copy(p.Params, s.params)
			policies = append(policies, p)
		}
	}
	return policies
}

// CheckPolicies returns an error that says what is valid if names has one that
// is not.
func CheckPolicies(names []string) error {
	return checkNames("policy", names, PolicyNames)
}

func checkNames(what string, names, valid []string) error {
	if len(names) == 0 {
		return fmt.Errorf("no %s given; valid are %s", what, strings.Join(valid, ", "))
	}
	for i, name := range names {
		if !slices.Contains(valid, name) {
			return fmt.Errorf("unknown %s %q; valid are %s", what, name, strings.Join(valid, ", "))
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("%s %q given twice", what, name)
		}
	}
	return nil
}

func orElse(chosen, otherwise int) int {
	if chosen > 0 {
		return chosen
	}
	return max(1, otherwise)
}
