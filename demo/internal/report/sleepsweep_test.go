package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/sleepsweep"
)

// "Above about 100,000 they are never all alive" stood above a run with 20,443 of
// 50,000.
func TestHowManyAreAliveIsWhatTheRunHasShown(t *testing.T) {
	row := func(n int, policy string, alive int) sleepsweep.Row {
		return sleepsweep.Row{N: n, Policy: policy, Wall: []float64{1}, Median: 1, Floor: 0.3, PeakAlive: alive}
	}
	for _, tt := range []struct {
		rows []sleepsweep.Row
		want string
	}{
		{[]sleepsweep.Row{
			row(1000, experiment.Unbounded, 1000), row(50_000, experiment.Unbounded, 20_443), row(50_000, experiment.Batch, 10_000),
			row(50_000, sleepsweep.Alive, 50_000), row(200_000, experiment.Unbounded, 30_000),
		}, "never more alive here than 20,443 of 50,000, 30,000 of 200,000."},
		{[]sleepsweep.Row{row(1000, experiment.Unbounded, 1000), row(50_000, experiment.Unbounded, 50_000)}, "all were alive at the same time here, up to 50,000."},
	} {
		var b bytes.Buffer
		SleepSweep(&b, Style{}, &sleepsweep.Result{Rows: tt.rows})
		if text := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(text, tt.want) || strings.Contains(text, "100,000") {
			t.Errorf("no %q in\n%s", tt.want, b.String())
		}
	}
}
