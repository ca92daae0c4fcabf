package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

// The rule takes the median of the rounds' shares, and the table divided medians:
// "94 % ← knee" stood above "the smallest with 95 % of the best".
func TestTheTableShowsTheShareThatTheRuleUses(t *testing.T) {
	var measurements []load.Measurement
	for limit, rounds := range map[int][]float64{
		1: {16, 16, 16}, 40: {600, 600, 600}, 45: {666, 700, 856}, 63: {700, 800, 900},
	} {
		for round, goodput := range rounds {
			measurements = append(measurements, load.Measurement{Limit: limit, Round: round, Goodput: goodput})
		}
	}
	k, err := knee.Find(sweep.CurveOf(measurements))
	if err != nil || k.Limit != 45 || k.Best != 800 {
		t.Fatalf("%+v, %v: want 45 to be the knee, with 95, 88 and 95 hundredths of the rounds' best", k, err)
	}
	var b bytes.Buffer
	sweepTable(&b, Style{}, &sweep.Result{Points: sweep.Summarise(measurements), Knee: &k})
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.Contains(line, "knee") && !strings.Contains(line, "95.") {
			t.Errorf("the knee's share is below that of the rule:\n%s", b.String())
		}
	}
}

func TestAShareIsNotRoundedUpToTheOneOfTheRule(t *testing.T) {
	for share, want := range map[float64]string{0.9499: "94.9 %", 0.95: "95.0 %", 1: "100.0 %", 0.29: "29.0 %"} {
		if got := ofBest(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}
