package picture

import (
	"fmt"
	"math"
)

// A FleetRun is how processes that share a quota got on in one mode.
type FleetRun struct {
	Title   string
	Refused float64 // share of the calls
	Moments []FleetMoment
}

// A FleetMoment is what the origin admitted in calls per second, from the processes
// that want all they can get and from the others, up to a moment in seconds.
type FleetMoment struct{ At, Busy, Others float64 }

// Fleet draws the runs below each other. wanted is what the others want, together, and
// quota what the origin admits, both in calls per second.
func Fleet(quota, wanted float64, runs []FleetRun) []byte {
	const tall, each = 84.0, 140.0
	c := newCanvas(720, 62+int(each)*len(runs), "Processes that share a quota",
		"Calls per second that the origin admitted, in each mode: of the processes that want little, and on top of them of those that want all they can get; beside the quota and what the former want.")
	c.legend(22, key{"fill fixed", "the others get"}, key{"dash fixed", "and want"}, key{"area adaptive", "the busy get"}, key{"dash ink", "quota, all in calls per second"})
	for i, r := range runs {
		last := math.Round(10*r.Moments[len(r.Moments)-1].At) / 10
		most := 1.25 * quota
		for _, m := range r.Moments {
			most = math.Max(most, m.Busy+m.Others)
		}
		p := c.panel(76+float64(i)*each, tall, scale{0, math.Max(last, r.Moments[len(r.Moments)-1].At), false}, scale{0, most, false})
		p.text("small bold ink", p.left, p.top-10, r.Title)
		p.text("small end dim", p.left+p.wide, p.top-10, fmt.Sprintf("refused: %.0f %% of the calls", 100*r.Refused))
		p.frame("", 0, quota/2, quota)
		all, others := []point{{0, r.Moments[0].Busy + r.Moments[0].Others}}, []point{{0, r.Moments[0].Others}}
		for _, m := range r.Moments {
			all = append(all, point{m.At, m.Busy + m.Others})
			others = append(others, point{m.At, m.Others})
		}
		p.area("area adaptive", all)
		p.area("fill fixed", others)
		p.series("dash fixed", []point{{0, wanted}, {last, wanted}})
		p.series("dash ink", []point{{0, quota}, {last, quota}})
		if i == len(runs)-1 {
			p.under("s", 0, last)
		}
	}
	return c.bytes()
}
