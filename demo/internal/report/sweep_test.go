package report

import (
	"bytes"
	"slices"
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

// A queue that holds five answers 503 soon after the knee: there the latency falls, and
// "where only the latency grows" stood beside a column with 78 % failed. A limit was
// recommended with which a third of the calls fail, without a word.
func TestASweepTellsFailuresFromLatency(t *testing.T) {
	var measurements []load.Measurement
	for limit, p := range map[int]struct {
		goodput float64
		failed  int
	}{1: {100, 0}, 4: {400, 0}, 8: {800, 0}, 16: {800, 60}, 32: {800, 300}} {
		m := load.Measurement{Limit: limit, Goodput: p.goodput, Little: 1}
		m.Counts.Succeeded, m.Counts.Refused = 100, p.failed
		measurements = append(measurements, m)
	}
	text := func(without int) string {
		r := sweep.Conclude(slices.DeleteFunc(slices.Clone(measurements), func(m load.Measurement) bool { return m.Limit == without }))
		var b bytes.Buffer
		Sweep(&b, Style{}, r)
		return strings.Join(strings.Fields(b.String()), " ")
	}
	if got := text(0); strings.Contains(got, "only the latency") || !strings.Contains(got, "from 16 on calls fail") || strings.Contains(got, "fail there") {
		t.Errorf("with a clean knee:\n%s", got)
	}
	if got := text(8); !strings.Contains(got, "although 38 % of the calls fail there") {
		t.Errorf("with a knee at 16:\n%s", got)
	}
}

// An interrupted or disturbed sweep ended with the same sure line as any other.
func TestTheAnswerOfASweepNamesWhatCastsDoubtOnIt(t *testing.T) {
	quiet := []sweep.Point{{Limit: 1}, {Limit: 2}}
	noisy := []sweep.Point{{Limit: 1}, {Limit: 2, Noisy: true}}
	if got := sweep.Doubt(quiet, false); got != "" {
		t.Errorf("%q, without a reason", got)
	}
	if got := sweep.Doubt(noisy, false); !strings.Contains(got, "busy") {
		t.Errorf("%q, with other programs at work", got)
	}
	if got := sweep.Doubt(quiet, true); !strings.Contains(got, "interrupted") {
		t.Errorf("%q, interrupted", got)
	}
}

// With a small backlog some callers wait a second for a connection, while those that
// have one are quick: p99 was 33 ms, and a third of the callers in none of the figures.
func TestCallersThatNoFigureCountsAreNamed(t *testing.T) {
	var b bytes.Buffer
	sweepTable(&b, Style{}, &sweep.Result{Points: []sweep.Point{{Limit: 32, Goodput: 800, Little: 0.62}, {Limit: 8, Goodput: 800, Little: 0.99}}})
	if strings.Count(b.String(), "‡") != 2 || !strings.Contains(b.String(), "0.62‡") {
		t.Errorf("\n%s", b.String())
	}
}
