package page

import (
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// timed is a group of three policies, the last of which takes so many seconds, with
// a hole of two of them in its samples.
func timed(seconds float64) *report.Group {
	var runs []*experiment.Run
	for _, policy := range []string{"unbounded", "batch", "fixed"} {
		r := run("sleep", policy, 100, 1, 2)
		if policy == "fixed" {
			r = run("sleep", policy, 100, 1, seconds)
			for i := range r.Timeline {
				if i >= 300 {
					r.Timeline[i].T += 2
				}
			}
		}
		runs = append(runs, r)
	}
	return &report.Group{Experiment: "sleep", N: 100, Rows: report.Rows(runs)}
}

// "Sampled every 10 ms" stood below a run with gaps of two seconds.
func TestTheNoteSaysHowFarApartTheSamplesWere(t *testing.T) {
	if note := inFlight(timed(2.5), 100).Note; !strings.Contains(note, "samples are up to 2.0 s apart (fixed 20)") || strings.Contains(note, "10 ms") {
		t.Error(note)
	}
}

func TestAChartThatIsCutAtFirstSaysSo(t *testing.T) {
	c := inFlight(timed(17), 100)
	if c.X.Max == 0 || !strings.Contains(c.Note, "Shown at first: 2.6 s of 19.0 s") {
		t.Errorf("up to %v: %s", c.X.Max, c.Note)
	}
	if c = inFlight(timed(2.5), 100); c.X.Max > 0 || strings.Contains(c.Note, "at first") {
		t.Errorf("up to %v: %s", c.X.Max, c.Note)
	}
}
