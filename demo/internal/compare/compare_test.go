package compare

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// results are runs of one policy with these wall times, of which so many of a
// hundred tasks failed.
func results(failed int, walls ...float64) *report.Document {
	d := new(report.Document)
	for i, wall := range walls {
		r := &experiment.Run{
			Experiment: "http", N: 100, Policy: "fixed", Label: "fixed 16", Params: map[string]any{"limit": 16}, Run: i + 1,
			WallSeconds: wall, Latency: experiment.Percentiles{P50: 20, P99: 30},
		}
		r.Counts.Succeeded, r.Counts.TimedOut = 100-failed-i%2, failed+i%2
		d.Runs = append(d.Runs, r)
	}
	return d
}

func metricOf(t *testing.T, deltas []Delta, name string) Delta {
	t.Helper()
	for _, d := range deltas {
		if d.Metric == name {
			return d
		}
	}
	t.Fatalf("no %s in %+v", name, deltas)
	return Delta{}
}

func TestOnlyWhatIsSignificantAndWorseIsARegression(t *testing.T) {
	base := results(0, 1.00, 1.01, 1.02, 1.03, 1.04, 1.05)
	for _, tt := range []struct {
		name                    string
		after                   *report.Document
		significant, regression bool
		tooFew                  bool
	}{
		{"slower by a fifth", results(0, 1.20, 1.21, 1.22, 1.23, 1.24, 1.25), true, true, false},
		{"slower by less than the threshold", results(0, 1.06, 1.07, 1.08, 1.09, 1.10, 1.11), true, false, false},
		{"faster by a fifth", results(0, 0.80, 0.81, 0.82, 0.83, 0.84, 0.85), true, false, false},
		{"slower now and then", results(0, 0.90, 1.01, 1.02, 1.50, 0.95, 3.00), false, false, false},
		{"slower, once", results(0, 9), false, false, true},
	} {
		deltas, missing := Documents(base, tt.after, 0.1)
		d := metricOf(t, deltas, "wall time")
		if d.Significant != tt.significant || d.Regression != tt.regression || d.TooFew != tt.tooFew || len(missing) > 0 {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

func TestMoreFailuresAreARegression(t *testing.T) {
	deltas, _ := Documents(results(0, 1, 1, 1, 1, 1, 1), results(20, 1, 1, 1, 1, 1, 1), 0.1)
	d := metricOf(t, deltas, "not succeeded")
	if !d.Regression || d.Change < 0.19 || d.Change > 0.21 {
		t.Errorf("%+v, want a fifth of the tasks", d)
	}
	if d := metricOf(t, deltas, "wall time"); d.Regression || d.Significant {
		t.Errorf("%+v of equal times", d)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	after := results(0, 1, 1, 1, 1)
	for _, r := range after.Runs {
		r.Label, r.Params = "fixed 32", map[string]any{"limit": 32}
	}
	deltas, missing := Documents(results(0, 1, 1, 1, 1), after, 0.1)
	if len(deltas) != 0 || len(missing) != 2 ||
		!strings.Contains(missing[0], "fixed 16 is only in the first") || !strings.Contains(missing[1], "fixed 32 is only in the second") {
		t.Errorf("%v and %q of two limits", deltas, missing)
	}
	cut := results(0, 1, 1, 1, 1)
	for _, r := range cut.Runs {
		r.Interrupted = true
	}
	if deltas, _ := Documents(results(0, 1, 1, 1, 1), cut, 0.1); len(deltas) != 0 {
		t.Errorf("%v of runs that were cut short", deltas)
	}
}

func TestAnotherSeedIsOtherWork(t *testing.T) {
	a, b := results(0, 1), results(0, 1)
	if got := Cautions(a, b); len(got) != 0 {
		t.Errorf("%q of the same", got)
	}
	b.Environment.Seed, b.Environment.CPU = 7, "another"
	if got := Cautions(a, b); len(got) != 2 {
		t.Errorf("%q, want two", got)
	}
}

func TestAnotherOriginIsNotTheProgramsDoing(t *testing.T) {
	a, b := results(0, 1, 1, 1, 1), results(0, 2, 2, 2, 2)
	for _, r := range b.Runs {
		r.Against = "8 workers × 20ms"
	}
	if got := Cautions(a, b); len(got) != 1 || !strings.Contains(got[0], "8 workers × 20ms") {
		t.Errorf("%q of an origin that was made slower, want one caution that says so", got)
	}
}

func TestTableSaysWhatChanceWouldDo(t *testing.T) {
	deltas, _ := Documents(results(0, 1, 1.1, 1.2, 1.3), results(0, 2, 2.1, 2.2, 2.3), 0.1)
	var b bytes.Buffer
	Table(&b, report.Style{}, deltas, false)
	if text := b.String(); !strings.Contains(text, "+91.7 %") && !strings.Contains(text, "worse") || !strings.Contains(text, "1 of 4 figures differ") || strings.Contains(text, "call p50") {
		t.Errorf("%s", text)
	}
	b.Reset()
	deltas, _ = Documents(results(0, 1), results(0, 2), 0.1)
	Table(&b, report.Style{}, deltas, true)
	if text := b.String(); !strings.Contains(text, "too few runs: 1 and 1") || !strings.Contains(text, "at least four runs") {
		t.Errorf("%s", text)
	}
}
