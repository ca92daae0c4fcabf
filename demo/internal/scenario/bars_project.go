package scenario

import (
	"math"
	"strings"
)

// bars are the rows that a policy is to show: those of the issue that asks for
// the adaptive rule, and those of the anchors.
var bars = []bar{
	{whole: studyPhases, what: "named scenarios", about: inGroup(GroupStudy), parts: []part{
		atLeast("goodput", "%.3f", 0.99, of(func(s Summary) float64 { return s.Goodput })),
		atMost("p50 ×", "%.2f", 1.10, of(func(s Summary) float64 { return s.P50x })),
		atMost("p99 ×", "%.2f", 1.06, of(func(s Summary) float64 { return s.P99x })),
		atLeast("converged", "%.1f %%", 100, of(func(s Summary) float64 { return 100 * s.Converged })),
	}},
	{what: "random worlds", about: inGroup(GroupRandom), parts: []part{
		atLeast("goodput", "%.3f", 0.985, of(func(s Summary) float64 { return s.Goodput })),
		atLeast("5th percentile", "%.2f", 0.93, of(func(s Summary) float64 { return s.Fifth })),
		atMost("p50 ×", "%.2f", 1.20, of(func(s Summary) float64 { return s.P50x })),
		atMost("p99 ×", "%.2f", 1.08, of(func(s Summary) float64 { return s.P99x })),
		atLeast("converged", "%.1f %%", 98, of(func(s Summary) float64 { return 100 * s.Converged })),
	}},
	{what: "random shared worlds", about: inGroup(GroupShared), parts: []part{
		atLeast("goodput", "%.3f", 0.98, of(func(s Summary) float64 { return s.Goodput })),
		atMost("p50 ×", "%.2f", 1.5, of(func(s Summary) float64 { return s.P50x })),
		atMost("p99 ×", "%.2f", 1.35, of(func(s Summary) float64 { return s.P99x })),
		atLeast("Jain", "%.3f", 0.93, of(func(s Summary) float64 { return s.Jain })),
	}},
	{whole: studyPhases, what: "lowest goodput of any named phase", about: inGroup(GroupStudy), parts: []part{
		atLeast("", "%.2f", 0.90, lowestMean),
	}},
	{what: "contention server (usl)", about: inPhase("usl", ""), parts: []part{atLeast("goodput", "%.2f", 0.96, over(mean, share))}},
	{what: "quota 429", about: inPhase("quota429", ""), parts: []part{
		atLeast("goodput", "%.2f", 0.97, over(mean, share)),
		atMost("refused", "%.2f %%", 1, over(mean, refused)),
	}},
	{what: "beside other load that takes half", about: inPhase("background", "shared"), parts: []part{
		atMost("seconds to converge, mean", "%.1f", 5, over(mean, settled)),
		atMost("worst", "%.1f", 10, over(most, settled)),
	}},
	{what: "eight clients, clocks ± 25 ms", about: inPhase("eight", ""), parts: eightParts},
	{what: "eight clients, clocks ± 100 ms", about: inPhase("skew100", ""), parts: eightParts},
	{what: "callers give up, a quarter is left", about: inPhase("cancel", "5"), parts: []part{atLeast("goodput", "%.2f", 0.95, over(mean, share))}},
	{what: "half an hour saturated", about: func(r *Result, _ *PhaseResult) bool { return strings.HasPrefix(r.World, "drift-") }, parts: []part{
		// No drift, that is: no more than the usual swing of a limit.
		atMost("limit at the end / after 5 min, worst", "%.2f", 1.25, drift),
		atMost("/ the oracle's", "%.2f", 2, over(most, func(p *PhaseResult) float64 { return p.Limit.Mean / float64(p.Oracle.Limit) })),
	}},

	{what: "K = 20 steady", about: inPhase("k20", ""), parts: []part{
		atLeast("goodput, least", "%.3f", 0.98, over(least, ofBest)),
		atMost("mean ms, most", "%.1f", 12.5, over(most, meanMillis)),
		atLeast("limit from", "%.0f", 18, over(least, func(p *PhaseResult) float64 { return float64(p.Limit.Low) })),
		atMost("to", "%.0f", 30, over(most, func(p *PhaseResult) float64 { return float64(p.Limit.High) })),
	}},
	{what: "capacity 20 to 5", about: inPhase("k20to5", ""), parts: []part{
		atMost("seconds to limit 10, worst", "%.1f", 5, over(most, fallsTo(10))),
		atMost("mean ms, most", "%.1f", 20, over(most, meanMillis)),
	}},
	{what: "capacity 5 to 20", about: inPhase("k5to20", ""), parts: []part{
		atMost("seconds to 90 %, median", "%.1f", 3, over(median, reaches)),
		atMost("worst", "%.1f", 6, over(most, reaches)),
		atLeast("goodput, least", "%.3f", 0.96, over(least, ofBest)),
	}},
	{what: "cold start at 20 × capacity", about: inPhase("cold", ""), parts: []part{
		atMost("seconds to converge, worst", "%.1f", 15, over(most, settled)),
	}},
	{what: "growth to K = 200", about: inPhase("k20to200", ""), parts: []part{
		atMost("seconds to converge, worst", "%.1f", 10, over(most, settled)),
	}},
	{what: "10 clients × 40 callers", about: inPhase("ten", ""), parts: []part{
		atMost("mean ms, most", "%.1f", 25, over(most, meanMillis)),
		atLeast("Jain, least", "%.3f", 0.95, over(least, func(p *PhaseResult) float64 { return p.Jain })),
		atLeast("goodput, least", "%.3f", 0.97, over(least, ofBest)),
	}},
	{what: "K = 1", about: inPhase("k1", ""), parts: []part{
		atMost("limit, mean", "%.1f", 3, over(most, func(p *PhaseResult) float64 { return p.Limit.Mean })),
		atMost("mean ms, most", "%.1f", 30, over(most, meanMillis)),
		atLeast("goodput, least", "%.3f", 0.95, over(least, ofBest)),
	}},
	{what: "timeouts, K 20 to 1", about: inPhase("timeouts", ""), parts: []part{
		atLeast("goodput, least", "%.2f", 0.80, over(least, ofBest)),
		atMost("seconds to limit 4, worst", "%.1f", 10, over(most, fallsTo(4))),
	}},
	{what: "429 from a bounded queue", about: inPhase("refuse429", ""), parts: []part{
		atMost("refused, most", "%.2f %%", 5, over(most, refused)),
		atLeast("goodput, least", "%.3f", 0.97, over(least, ofBest)),
	}},
	{what: "bimodal 90/10", about: inPhase("bimodal9010", ""), parts: []part{
		atLeast("goodput, least", "%.3f", 0.97, over(least, ofBest)),
		atMost("mean ms, most", "%.1f", 15, over(most, meanMillis)),
	}},
}

// studyPhases are the graded phases of the study.
const studyPhases = 31

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
