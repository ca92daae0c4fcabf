package knee

import (
	"math"
	"testing"
)

// slowRound are rounds of which the last, a slow one at the largest limit, is the
// only one of 44.
func slowRound() []Point {
	nan := math.NaN()
	return []Point{
		{1, []float64{16, nan, nan, nan}},
		{42, []float64{687, nan, nan, nan}},
		{44, []float64{nan, nan, nan, 716}},
		{46, []float64{750, 751, 750, 700}},
		{48, []float64{781, 780, 780, 740}},
		{63, []float64{800, 800, 800, 740}},
	}
}

func TestASingleRoundIsHeldAgainstTheBestOfAll(t *testing.T) {
	k, err := Find(slowRound())
	// 44 is not ruled out, and neither is what lies above it.
	if err != nil || k.Limit < 46 || k.From > 44 || k.To < k.Limit {
		t.Errorf("%+v, %v: 44 had 716/s of 800/s in one round, in which the best had 740/s", k, err)
	}
}

func TestTheShareIsTheOneThatTheRuleUses(t *testing.T) {
	k, err := Find(slowRound())
	if err != nil {
		t.Fatal(err)
	}
	shares := Shares(slowRound())
	for _, p := range newCurve(slowRound()) {
		if enough := shares[p.Limit] >= Share; enough != (p.Limit >= k.Limit) {
			t.Errorf("%d has %.1f %%, and the knee is %d", p.Limit, 100*shares[p.Limit], k.Limit)
		}
	}
	if Shares(slowRound()[:2]) != nil {
		t.Error("shares of too few points")
	}
}
