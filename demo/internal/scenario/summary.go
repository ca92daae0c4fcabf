package scenario

import (
	"math"
	"slices"
)

// A Summary is how one policy did over graded phases.
type Summary struct {
	Group  string `json:"group"`
	Policy string `json:"policy"`
	Phases int    `json:"phases"` // graded, of all seeds

	Goodput float64 `json:"goodput"` // mean share of the oracle's
	Capped  float64 `json:"capped"`  // the same, where more than the oracle's counts as 1
	Fifth   float64 `json:"fifth"`   // 5th percentile
	Lowest  float64 `json:"lowest"`  // least, and where
	Where   string  `json:"where"`

	P50x      float64 `json:"p50_x"` // geometric mean
	P99x      float64 `json:"p99_x"`
	Beyond    float64 `json:"lost_beyond"`    // mean share of calls lost beyond the oracle's
	Converged float64 `json:"converged"`      // share of phases
	Settled   float64 `json:"settled"`        // seconds: median of those that did
	Slowest   float64 `json:"slowest"`        // the longest of them
	Jain      float64 `json:"jain,omitempty"` // mean, of phases with several clients
}

// Summarise sums the results up for each group and policy, in the order in which
// they come.
func Summarise(results []*Result) (all []Summary) {
	type key struct{ group, policy string }
	var order []key
	phases := map[key][]graded{}
	for _, r := range results {
		for i := range r.Phases {
			if p := &r.Phases[i]; p.Graded {
				k := key{r.Group, r.Policy}
				if phases[k] == nil {
					order = append(order, k)
				}
				phases[k] = append(phases[k], graded{r, p})
			}
		}
	}
	for _, k := range order {
		s := summarise(phases[k])
		s.Group, s.Policy = k.group, k.policy
		all = append(all, s)
	}
	return all
}

// graded is a graded phase of a run.
type graded struct {
	run   *Result
	phase *PhaseResult
}

func (g graded) name() string {
	if len(g.run.Phases) == 1 || g.run.World == g.phase.Name {
		return g.run.World
	}
	return g.run.World + "/" + g.phase.Name
}

// pick returns the graded phases of results that choose wants.
func pick(results []*Result, choose func(r *Result, p *PhaseResult) bool) (all []graded) {
	for _, r := range results {
		for i := range r.Phases {
			if p := &r.Phases[i]; choose(r, p) {
				all = append(all, graded{r, p})
			}
		}
	}
	return all
}

func summarise(phases []graded) (s Summary) {
	s.Phases = len(phases)
	var goodput, p50, p99, settled, jains []float64
	for _, g := range phases {
		p := g.phase
		if len(goodput) == 0 || p.Share < s.Lowest {
			s.Lowest, s.Where = p.Share, g.name()
		}
		goodput = append(goodput, p.Share)
		s.Capped += math.Min(1, p.Share) / float64(len(phases))
		s.Beyond += p.Beyond / float64(len(phases))
		if p.P50x > 0 { // who has no answer has no latency either
			p50, p99 = append(p50, p.P50x), append(p99, p.P99x)
		}
		if p.Converged {
			settled = append(settled, p.Settled)
		}
		if p.Jain > 0 {
			jains = append(jains, p.Jain)
		}
	}
	s.Goodput, s.Fifth = mean(goodput), quantile(goodput, 0.05)
	s.P50x, s.P99x = geometric(p50), geometric(p99)
	s.Converged = float64(len(settled)) / float64(max(1, len(phases)))
	s.Settled, s.Slowest = quantile(settled, 0.5), quantile(settled, 1)
	s.Jain = mean(jains)
	return s
}

func mean(xs []float64) (m float64) {
	for _, x := range xs {
		m += x / float64(len(xs))
	}
	return m
}

func geometric(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range xs {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(xs)))
}

// quantile is the value that a share q of xs do not exceed; 0 of none.
func quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(xs))
	return sorted[max(0, int(math.Ceil(q*float64(len(xs))))-1)]
}
