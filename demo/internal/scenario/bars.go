package scenario

import (
	"fmt"
	"math"
	"time"
)

// A Verdict is how a policy did against one bar of the project.
type Verdict struct {
	Policy string `json:"policy"`
	What   string `json:"what"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Met    bool   `json:"met"`
}

// A bar is what the project has set itself for one row of its tables.
type bar struct {
	what  string
	about func(r *Result, p *PhaseResult) bool
	parts []part
	whole int // the bar is about so many phases, and says nothing of fewer; 0: any
}

// A part of a bar is one figure and its bound.
type part struct {
	name   string // empty: the row says it
	of     func(phases []graded) float64
	bound  float64
	least  bool   // the bound is the least that is wanted, and not the most
	format string // of the figure
}

func atLeast(name, format string, bound float64, of func([]graded) float64) part {
	return part{name, of, bound, true, format}
}

func atMost(name, format string, bound float64, of func([]graded) float64) part {
	return part{name, of, bound, false, format}
}

// Judge compares the results of each policy with the bars that are about them.
func Judge(results []*Result) (verdicts []Verdict) {
	var policies []string
	byPolicy := map[string][]*Result{}
	for _, r := range results {
		if byPolicy[r.Policy] == nil {
			policies = append(policies, r.Policy)
		}
		byPolicy[r.Policy] = append(byPolicy[r.Policy], r)
	}
	for _, policy := range policies {
		for _, b := range bars {
			phases := pick(byPolicy[policy], func(r *Result, p *PhaseResult) bool { return p.Graded && b.about(r, p) })
			if len(phases) > 0 && distinct(phases) >= b.whole {
				v := b.judge(phases)
				v.Policy = policy
				verdicts = append(verdicts, v)
			}
		}
	}
	return verdicts
}

func (b *bar) judge(phases []graded) Verdict {
	v := Verdict{What: b.what, Met: true}
	for i, p := range b.parts {
		x := p.of(phases)
		relation := "≤"
		if p.least {
			relation = "≥"
		}
		text := fmt.Sprintf(p.format, x)
		want := relation + " " + fmt.Sprintf(p.format, p.bound)
		if p.name != "" {
			text, want = p.name+" "+text, p.name+" "+want
		}
		good := p.least && x >= p.bound || !p.least && x <= p.bound
		if !good {
			text += " ✗"
			v.Met = false
		}
		if i > 0 {
			text, want = "; "+text, "; "+want
		}
		v.Got += text
		v.Want += want
	}
	return v
}

// distinct is how many phases there are, over all seeds.
func distinct(phases []graded) int {
	names := map[string]bool{}
	for _, g := range phases {
		names[g.run.World+"/"+g.phase.Name] = true
	}
	return len(names)
}

func inGroup(group string) func(*Result, *PhaseResult) bool {
	return func(r *Result, _ *PhaseResult) bool { return r.Group == group }
}

// inPhase chooses the phase of a world; "" is all graded ones.
func inPhase(world, phase string) func(*Result, *PhaseResult) bool {
	return func(r *Result, p *PhaseResult) bool { return r.World == world && (phase == "" || p.Name == phase) }
}

// of makes a figure of a Summary.
func of(f func(Summary) float64) func([]graded) float64 {
	return func(phases []graded) float64 { return f(summarise(phases)) }
}

// over makes a figure of one of each phase: their mean, median, least or most.
func over(by func([]float64) float64, f func(p *PhaseResult) float64) func([]graded) float64 {
	return func(phases []graded) float64 {
		var xs []float64
		for _, g := range phases {
			xs = append(xs, f(g.phase))
		}
		return by(xs)
	}
}

func most(xs []float64) float64   { return quantile(xs, 1) }
func least(xs []float64) float64  { return quantile(xs, 0) }
func median(xs []float64) float64 { return quantile(xs, 0.5) }

// ofBest is the goodput in units of the best that any fixed limit has, which
// may be more than the oracle's.
func ofBest(p *PhaseResult) float64 { return p.Share * p.Oracle.Goodput / p.Oracle.Best }

func meanMillis(p *PhaseResult) float64 { return float64(p.Mean) / float64(time.Millisecond) }

// settled is when the phase converged. What never did is later than all.
func settled(p *PhaseResult) float64 {
	if !p.Converged {
		return math.Inf(1)
	}
	return p.Settled
}

// reaches is when the first second began in which goodput was 90 % of the best.
func reaches(p *PhaseResult) float64 {
	const per = int(time.Second / binLong)
	for i := 0; i+per <= len(p.bins); i++ {
		done := 0
		for _, b := range p.bins[i : i+per] {
			done += b.done
		}
		if float64(done) >= 0.9*p.Oracle.Best {
			return float64(i) * binLong.Seconds()
		}
	}
	return math.Inf(1)
}

// fallsTo is when the limit was first seen at most so high.
func fallsTo(limit int) func(p *PhaseResult) float64 {
	return func(p *PhaseResult) float64 {
		for i, b := range p.bins {
			if b.limit <= limit {
				return float64(i+1) * binLong.Seconds()
			}
		}
		return math.Inf(1)
	}
}

func refused(p *PhaseResult) float64 {
	return 100 * float64(p.Counts.Refused) / math.Max(1, float64(p.Counts.Ended()))
}
