package probe

import (
	"math"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
)

// Every endpoint but ours takes longer for some calls than for others. The luckiest of
// the first limits was the measure of all others then, and the probe was done after a
// few steps: "use limit = 8" for 32 places, in nine of ten.
func TestCallsThatDoNotTakeEquallyLongDoNotEndTheClimb(t *testing.T) {
	for _, w := range []knee.Network{
		{Workers: 8, Service: 10 * ms, Delay: 50 * ms, Exponential: true},
		{Workers: 32, Service: 10 * ms, Exponential: true},
		{Workers: 64, Service: 10 * ms, Exponential: true},
	} {
		const seeds = 10
		right := 0
		for seed := range uint64(seeds) {
			r, err := Run(t.Context(), virtual(w, seed), config())
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(float64(r.Limit)/float64(w.Knee())-1) <= 0.2 {
				right++
			} else {
				t.Logf("%+v, seed %d: %d (%d…%d), want about %d: %s", w, seed, r.Limit, r.From, r.To, w.Knee(), r.Stopped)
			}
		}
		if right < seeds-1 {
			t.Errorf("%+v: right %d of %d", w, right, seeds)
		}
	}
}
