package scenario

import "fmt"

// A Row is one phase under one policy, over all its seeds.
type Row struct {
	Group, World, Phase, Policy string
	Runs                        int

	Share     float64 // mean goodput as a share of the oracle's
	Lowest    float64 // of the seeds
	P50x      float64 // geometric means
	P99x      float64
	Lost      float64 // mean share of calls
	Converged int     // runs
	Settled   float64 // seconds: median, and the longest
	Slowest   float64
	Jain      float64 // mean; 0 if there is one client
	Limit     Limits  // mean, and the widest range
	Oracle    Oracle
}

// Name names the phase.
func (r *Row) Name() string {
	if r.World == r.Phase || r.Phase == "" {
		return r.World
	}
	return r.World + "/" + r.Phase
}

// Rows sums the results up for each graded phase and policy, in the order in
// which phases come first.
func Rows(results []*Result) (rows []Row) {
	type key struct{ world, phase, policy string }
	type place struct{ world, phase string }
	var places []place
	policies := map[place][]string{}
	found := map[key][]graded{}
	for _, g := range pick(results, func(_ *Result, p *PhaseResult) bool { return p.Graded }) {
		at := place{g.run.World, g.phase.Name}
		k := key{at.world, at.phase, g.run.Policy}
		if policies[at] == nil {
			places = append(places, at)
		}
		if found[k] == nil {
			policies[at] = append(policies[at], k.policy)
		}
		found[k] = append(found[k], g)
	}
	for _, at := range places {
		for _, policy := range policies[at] {
			rows = append(rows, rowOf(found[key{at.world, at.phase, policy}]))
		}
	}
	return rows
}

func rowOf(phases []graded) Row {
	first, s := phases[0], summarise(phases)
	r := Row{
		Group: first.run.Group, World: first.run.World, Phase: first.phase.Name, Policy: first.run.Policy,
		Runs: len(phases), Share: s.Goodput, Lowest: s.Lowest, P50x: s.P50x, P99x: s.P99x,
		Settled: s.Settled, Slowest: s.Slowest, Jain: s.Jain, Oracle: *first.phase.Oracle,
		Limit: first.phase.Limit,
	}
	r.Limit.Mean = 0
	for _, g := range phases {
		l := g.phase.Limit
		r.Limit.Mean += l.Mean / float64(len(phases))
		r.Limit.Low, r.Limit.High = min(r.Limit.Low, l.Low), max(r.Limit.High, l.High)
		r.Lost += g.phase.Lost / float64(len(phases))
		if g.phase.Converged {
			r.Converged++
		}
	}
	return r
}

// Besides says for each world with clients under other policies what those under
// test got: 1 is as much as everybody.
func Besides(results []*Result) (lines []string) {
	for _, g := range pick(results, func(_ *Result, p *PhaseResult) bool { return p.Beside > 0 }) {
		if last := &g.run.Phases[len(g.run.Phases)-1]; g.phase == last {
			lines = append(lines, fmt.Sprintf("%s under %s (seed %d): %.2f of an equal share", g.run.World, g.run.Policy, g.run.Seed, g.phase.Beside))
		}
	}
	return lines
}
