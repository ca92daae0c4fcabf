package scenario

import (
	"math"
	"strings"
)

// bars are the rows that a policy is to show: those of the issue that asks for
// the adaptive rule, and those of the anchors.
var bars = []bar{
	{"named scenarios", inGroup(GroupStudy), []part{
		atLeast("goodput", "%.3f", 0.99, of(func(s Summary) float64 { return s.Goodput })),
		atMost("p50 ×", "%.2f", 1.10, of(func(s Summary) float64 { return s.P50x })),
		atMost("p99 ×", "%.2f", 1.06, of(func(s Summary) float64 { return s.P99x })),
		atLeast("converged", "%.1f %%", 100, of(func(s Summary) float64 { return 100 * s.Converged })),
	}},
	{"random worlds", inGroup(GroupRandom), []part{
		atLeast("goodput", "%.3f", 0.985, of(func(s Summary) float64 { return s.Goodput })),
		atLeast("5th percentile", "%.2f", 0.93, of(func(s Summary) float64 { return s.Fifth })),
		atMost("p50 ×", "%.2f", 1.20, of(func(s Summary) float64 { return s.P50x })),
		atMost("p99 ×", "%.2f", 1.08, of(func(s Summary) float64 { return s.P99x })),
		atLeast("converged", "%.1f %%", 98, of(func(s Summary) float64 { return 100 * s.Converged })),
	}},
	{"random shared worlds", inGroup(GroupShared), []part{
		atLeast("goodput", "%.3f", 0.98, of(func(s Summary) float64 { return s.Goodput })),
		atMost("p50 ×", "%.2f", 1.5, of(func(s Summary) float64 { return s.P50x })),
		atMost("p99 ×", "%.2f", 1.35, of(func(s Summary) float64 { return s.P99x })),
		atLeast("Jain", "%.3f", 0.93, of(func(s Summary) float64 { return s.Jain })),
	}},
	{"lowest goodput of any named phase", inGroup(GroupStudy), []part{
		atLeast("", "%.2f", 0.90, lowestMean),
	}},
	{"contention server (usl)", inPhase("usl", ""), []part{atLeast("goodput", "%.2f", 0.96, over(mean, share))}},
	{"quota 429", inPhase("quota429", ""), []part{
		atLeast("goodput", "%.2f", 0.97, over(mean, share)),
		atMost("refused", "%.2f %%", 1, over(mean, refused)),
	}},
	{"beside other load that takes half", inPhase("background", "shared"), []part{
		atMost("seconds to converge, mean", "%.1f", 5, over(mean, settled)),
		atMost("worst", "%.1f", 10, over(most, settled)),
	}},
	{"eight clients, clocks ± 25 ms", inPhase("eight", ""), eightParts},
	{"eight clients, clocks ± 100 ms", inPhase("skew100", ""), eightParts},
	{"callers give up, a quarter is left", inPhase("cancel", "5"), []part{atLeast("goodput", "%.2f", 0.95, over(mean, share))}},
	{"half an hour saturated", func(r *Result, _ *PhaseResult) bool { return strings.HasPrefix(r.World, "drift-") }, []part{
		// No drift, that is: no more than the usual swing of a limit.
		atMost("limit at the end / after 5 min, worst", "%.2f", 1.25, drift),
		atMost("/ the oracle's", "%.2f", 2, over(most, func(p *PhaseResult) float64 { return p.Limit.Mean / float64(p.Oracle.Limit) })),
	}},

	{"K = 20 steady", inPhase("k20", ""), []part{
		atLeast("goodput, least", "%.3f", 0.98, over(least, ofBest)),
		atMost("mean ms, most", "%.1f", 12.5, over(most, meanMillis)),
		atLeast("limit from", "%.0f", 18, over(least, func(p *PhaseResult) float64 { return float64(p.Limit.Low) })),
		atMost("to", "%.0f", 30, over(most, func(p *PhaseResult) float64 { return float64(p.Limit.High) })),
	}},
	{"capacity 20 to 5", inPhase("k20to5", ""), []part{
		atMost("seconds to limit 10, worst", "%.1f", 5, over(most, fallsTo(10))),
		atMost("mean ms, most", "%.1f", 20, over(most, meanMillis)),
	}},
	{"capacity 5 to 20", inPhase("k5to20", ""), []part{
		atMost("seconds to 90 %, median", "%.1f", 3, over(median, reaches)),
		atMost("worst", "%.1f", 6, over(most, reaches)),
		atLeast("goodput, least", "%.3f", 0.96, over(least, ofBest)),
	}},
	{"cold start at 20 × capacity", inPhase("cold", ""), []part{
		atMost("seconds to converge, worst", "%.1f", 15, over(most, settled)),
	}},
	{"growth to K = 200", inPhase("k20to200", ""), []part{
		atMost("seconds to converge, worst", "%.1f", 10, over(most, settled)),
	}},
	{"10 clients × 40 callers", inPhase("ten", ""), []part{
		atMost("mean ms, most", "%.1f", 25, over(most, meanMillis)),
		atLeast("Jain, least", "%.3f", 0.95, over(least, func(p *PhaseResult) float64 { return p.Jain })),
		atLeast("goodput, least", "%.3f", 0.97, over(least, ofBest)),
	}},
	{"K = 1", inPhase("k1", ""), []part{
		atMost("limit, mean", "%.1f", 3, over(most, func(p *PhaseResult) float64 { return p.Limit.Mean })),
		atMost("mean ms, most", "%.1f", 30, over(most, meanMillis)),
		atLeast("goodput, least", "%.3f", 0.95, over(least, ofBest)),
	}},
	{"timeouts, K 20 to 1", inPhase("timeouts", ""), []part{
		atLeast("goodput, least", "%.2f", 0.80, over(least, ofBest)),
		atMost("seconds to limit 4, worst", "%.1f", 10, over(most, fallsTo(4))),
	}},
	{"429 from a bounded queue", inPhase("refuse429", ""), []part{
		atMost("refused, most", "%.2f %%", 5, over(most, refused)),
		atLeast("goodput, least", "%.3f", 0.97, over(least, ofBest)),
	}},
	{"bimodal 90/10", inPhase("bimodal9010", ""), []part{
		atLeast("goodput, least", "%.3f", 0.97, over(least, ofBest)),
		atMost("mean ms, most", "%.1f", 15, over(most, meanMillis)),
	}},
}

var eightParts = []part{
	atMost("limit", "%.0f", 68, over(mean, func(p *PhaseResult) float64 { return p.Limit.Mean })),
	atMost("p50 ×", "%.2f", 1.32, over(geometric, func(p *PhaseResult) float64 { return p.P50x })),
	atLeast("Jain", "%.3f", 0.98, over(mean, func(p *PhaseResult) float64 { return p.Jain })),
}

func share(p *PhaseResult) float64 { return p.Share }

// lowestMean is the lowest of the mean goodputs of the phases over their seeds.
func lowestMean(phases []graded) float64 {
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, g := range phases {
		sums[g.name()] += g.phase.Share
		counts[g.name()]++
	}
	low := math.Inf(1)
	for name := range sums {
		low = math.Min(low, sums[name]/counts[name])
	}
	return low
}

// drift is by how much the limit has risen from five minutes to the end, in the
// worst run: means of a minute, since limits swing.
func drift(phases []graded) float64 {
	worst := 0.0
	for _, g := range phases {
		early, late := g.run.Phases[1].bins, g.phase.bins
		worst = math.Max(worst, lastMinute(late)/math.Max(1, lastMinute(early)))
	}
	return worst
}

func lastMinute(bins []bin) float64 {
	bins = bins[max(0, len(bins)-int(minute/binLong)):]
	sum := 0.0
	for _, b := range bins {
		sum += float64(b.limit) / float64(len(bins))
	}
	return sum
}
