package report

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// made is a run with a wall time and counts, as an experiment would make it.
func made(name string, n int, policy string, wall float64, c experiment.Counts) *experiment.Run {
	limit := 16
	share := 0.5
	c.Succeeded = n - (c.Sum() - c.Succeeded)
	return &experiment.Run{
		Experiment: name, N: n, Policy: policy, Label: policy, Params: map[string]any{"limit": limit}, Run: 1,
		WallSeconds: wall, FloorSeconds: 0.3, Counts: c,
		TimeoutRate:         float64(c.TimedOut) / float64(n),
		Timeline:            []experiment.Point{{T: wall, Completed: n}, {T: wall, Completed: n, Limit: &limit}},
		ForeignCPU:          &share,
		Calls:               experiment.MergedLatencies(),
		CallsSinceSubmitted: experiment.MergedLatencies(),
		Prediction:          &experiment.Prediction{Of: "timed_out", Text: "none"},
	}
}
