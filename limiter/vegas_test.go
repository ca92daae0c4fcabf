package limiter_test

import (
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// told is what a policy is told in a table, and what its limit is then.
type told struct {
	inFlight int
	outcome  limiter.Outcome
	latency  time.Duration
	want     int
}

func tell(t *testing.T, p limiter.Policy, steps []told) {
	t.Helper()
	for i, s := range steps {
		p.Report(limiter.State{InFlight: s.inFlight}, limiter.Result{Outcome: s.outcome, Latency: s.latency})
		if limit, _ := p.Next(limiter.State{InFlight: s.inFlight}); limit != s.want {
			t.Fatalf("step %d: %+v: limit %d (%s)", i, s, limit, p.(limiter.Reasoner).Reason())
		}
	}
}

func reason(p limiter.Policy) string { return p.(limiter.Reasoner).Reason() }

// The numbers beside each step are the source's formulas by hand: k is
// ⌊log10 limit⌋ but at least 1, and q is ⌈limit × (1 − least / latency)⌉.
func TestVegasFollowsItsSource(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []limiter.VegasConfig{{Max: 10}, {Initial: 3000}, {Min: 300}, {}} {
		limiter.Vegas(c) // what is left out must fit what is given
	}
	p := limiter.Vegas(limiter.VegasConfig{})
	tell(t, p, []told{
		{20, limiter.Success, 100 * ms, 20}, // the first is the least, and nothing else
		{20, limiter.Success, 104 * ms, 26}, // q = ⌈20 × 4/104 = 0.77⌉ = 1 ≤ 1: + 6 × 1
		{12, limiter.Success, 100 * ms, 26}, // 2 × 12 < 26
		{13, limiter.Success, 105 * ms, 27}, // q = ⌈26 × 5/105 = 1.24⌉ = 2 < 3: + 1
		{27, limiter.Success, 110 * ms, 27}, // q = ⌈27 × 10/110 = 2.45⌉ = 3: neither below 3 nor above 6
		{27, limiter.Success, 125 * ms, 27}, // q = ⌈27 × 25/125 = 5.4⌉ = 6, not above 6
		{27, limiter.Success, 150 * ms, 26}, // q = ⌈27 / 3⌉ = 9 > 6: − 1
		{1, limiter.Refused, 120 * ms, 25},  // − 1, however few are in flight
		{1, limiter.Overdue, 1000 * ms, 24}, // − 1
		{24, limiter.Failed, 1 * ms, 24},
		{24, limiter.Cancelled, 1 * ms, 24},
		{24, limiter.Ignored, 1 * ms, 24},
		{24, limiter.Refused, 1 * ms, 24},   // the fastest so far: now the least, and no loss
		{24, limiter.Success, 100 * ms, 23}, // q = ⌈24 × 99/100⌉ = 24 > 6: − 1
		{23, limiter.Success, 0, 23},        // the least is now a nanosecond
		{23, limiter.Success, 1 * ms, 22},
	})
	if got := reason(p); got != "queue 23 above 6" {
		t.Errorf("because %q", got)
	}
	for range 100 {
		p.Report(limiter.State{}, limiter.Result{Outcome: limiter.Refused, Latency: time.Second})
	}
	if limit, _ := p.Next(limiter.State{}); limit != 1 || reason(p) != "refused" {
		t.Errorf("limit %d because %q, want the least", limit, reason(p))
	}
}

// ⌊log10⌋ changes at 100 and at 1000. Computed in floating point, the decimal
// logarithm of 1000 is below 3.
func TestVegasTakesTheWrongLogarithm(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct{ initial, up, down int }{
		{1, 7, 1}, {9, 15, 8}, {10, 16, 9}, {99, 105, 98}, {100, 112, 98}, {999, 1011, 997}, {1000, 1018, 997}, {10_000, 10_024, 9996},
	} {
		c := limiter.VegasConfig{Initial: row.initial, Max: 1e6}
		tell(t, limiter.Vegas(c), []told{
			{row.initial, limiter.Success, 100 * ms, row.initial},
			{row.initial, limiter.Success, 100 * ms, row.up},
		})
		tell(t, limiter.Vegas(c), []told{
			{row.initial, limiter.Success, 100 * ms, row.initial},
			{row.initial, limiter.Refused, 100 * ms, row.down},
		})
	}
	tell(t, limiter.Vegas(limiter.VegasConfig{Initial: 112}), []told{
		{112, limiter.Success, 100 * ms, 112},
		{112, limiter.Success, 105 * ms, 112}, // q = ⌈112 × 5/105 = 5.33⌉ = 6, not below 3 × 2
		{112, limiter.Success, 104 * ms, 114}, // q = ⌈112 × 4/104 = 4.31⌉ = 5 < 6: + 2
		{114, limiter.Success, 112 * ms, 112}, // q = ⌈114 × 12/112 = 12.2⌉ = 13 > 6 × 2: − 2
	})
}

func TestVegasSmoothsToWholeNumbers(t *testing.T) {
	const ms = time.Millisecond
	tell(t, limiter.Vegas(limiter.VegasConfig{Smoothing: 0.5, Max: 30}), []told{
		{20, limiter.Success, 100 * ms, 20},
		{20, limiter.Success, 100 * ms, 23}, // half of the way to 26
		{23, limiter.Success, 100 * ms, 26},
		{26, limiter.Success, 100 * ms, 28}, // half of the way to 30, which is Max, and not to 32
		{28, limiter.Refused, 100 * ms, 27}, // 27.5
		{28, limiter.Refused, 100 * ms, 27}, // 27.0
		{28, limiter.Refused, 100 * ms, 26}, // 26.5
	})
}

// With the limit held at 10, the least latency is forgotten after 150 to 300
// calls. Until then 300 ms are a queue of ⌈10 × 2/3⌉ = 7 and the limit stays at
// its least; afterwards they are no queue, and the call after raises it. Then a
// call of 100 ms begins it all anew, of which the first has been counted.
func TestVegasForgetsTheLeastLatencyAtTheWrongTime(t *testing.T) {
	const ms = time.Millisecond
	forgotten := func(seed uint64) (after [2]int) {
		p := limiter.Vegas(limiter.VegasConfig{Initial: 10, Min: 10, Max: 11, Seed: seed})
		report := func(latency time.Duration) (limit int) {
			p.Report(limiter.State{InFlight: 10}, limiter.Result{Outcome: limiter.Success, Latency: latency})
			limit, _ = p.Next(limiter.State{})
			return limit
		}
		for i := range after {
			report(100 * ms)
			calls := 1 + i
			if i > 0 {
				report(300 * ms) // back to 10
				calls++
			}
			for calls < 400 && report(300*ms) == 10 {
				calls++
			}
			after[i] = calls
		}
		return after
	}
	least, most, sum, same := 1000, 0, 0, 0
	const seeds = 200
	for seed := range uint64(seeds) {
		n := forgotten(seed)
		if n != forgotten(seed) {
			t.Fatalf("seed %d is not the same twice", seed)
		}
		if n[0] == n[1] {
			same++
		}
		for _, n := range n {
			least, most, sum = min(least, n), max(most, n), sum+n
		}
	}
	if least < 150 || least > 160 || most > 300 || most < 290 || sum < 2*215*seeds || sum > 2*235*seeds || same > 5 {
		t.Errorf("forgotten after %d to %d calls, %d on average, want 150 to 300; %d of %d times after as many again", least, most, sum/2/seeds, same, seeds)
	}
}
