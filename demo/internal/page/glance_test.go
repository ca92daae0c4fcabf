package page

import (
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

func TestALuckyRunInTheMiddleDoesNotHideTheOthersFailures(t *testing.T) {
	var runs []*experiment.Run
	for _, timedOut := range []int{0, 0, 0, 0, 1, 260} {
		r := run("http", experiment.Batch, 1000, 1, 1)
		r.Label, r.Chosen = "batch 900", true
		r.Counts = experiment.Counts{Succeeded: 1000 - timedOut, TimedOut: timedOut}
		runs = append(runs, r)
	}
	if got := newBars(report.Groups(runs)[0]).Rows[0].EndText; got != "all ok in 4 of 6 runs" {
		t.Errorf("the bar says %q", got)
	}
	line := newGlance("", report.Groups(runs)[0])
	if line.Batches.Bad != "0–26 % timed out" {
		t.Errorf("%q of a batch that timed out in two of six runs", line.Batches.Bad)
	}
	if line.Batches.Policy != "batch 900" {
		t.Errorf("a size that was given is called %q", line.Batches.Policy)
	}
	for _, tt := range []struct {
		least, most int
		want        string
	}{{1, 1, "<1 %"}, {0, 1, "0–<1 %"}, {212, 212, "21 %"}, {112, 886, "11–89 %"}} {
		if got := percents(tt.least, tt.most, 1000); got != tt.want {
			t.Errorf("%d to %d of 1000 are %q, want %q", tt.least, tt.most, got, tt.want)
		}
	}
}
