package experiment

import (
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/postgres"
)

func openStandIn(t *testing.T, connections int) *Postgres {
	t.Helper()
	w, err := OpenPostgres(t.Context(), postgres.Config{MaxConnections: connections, ForceStandIn: true}, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestConnectionsAboveTheSlotsAreRefused(t *testing.T) {
	w := openStandIn(t, 13) // 10 usable
	const n = 40
	for _, tt := range []struct {
		policy  string
		choices Choices
		refused int
	}{
		{Unbounded, Choices{}, 30},
		{Fixed, Choices{Limit: 5}, 0},
		{Pool, Choices{Limit: 5}, 0},
		{Unbounded, Choices{}, 30}, // again: the runs before have left no session
	} {
		run := mustRun(t, w, n, mustPolicy(t, w, tt.policy, n, tt.choices))
		if run.Counts.Refused != tt.refused || run.Counts.Succeeded != n-tt.refused {
			t.Errorf("%s: %+v, want %d refused and the rest succeeded", run.Label, run.Counts, tt.refused)
		}
		if !run.StandIn {
			t.Errorf("%s: the run does not say that it was made with a stand-in", run.Label)
		}
		if !run.Prediction.Held(run.Counts) {
			t.Errorf("%s: %+v, predicted %+v", run.Label, run.Counts, run.Prediction)
		}
	}
}

func TestPoolOpensNoMoreThanItsSize(t *testing.T) {
	w := openStandIn(t, 13)
	run := mustRun(t, w, 40, mustPolicy(t, w, Pool, 40, Choices{Limit: 5}))
	if run.ConnectionsOpened > 5 {
		t.Errorf("%d connections opened by a pool of 5", run.ConnectionsOpened)
	}
	run = mustRun(t, w, 40, mustPolicy(t, w, Fixed, 40, Choices{Limit: 5}))
	if run.ConnectionsOpened != 40 {
		t.Errorf("%d connections opened by 40 tasks with one each", run.ConnectionsOpened)
	}
}
