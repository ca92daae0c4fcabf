package sleepsweep

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// row is a row of which only the time matters.
func row(n int, policy string, wall float64) Row { return Row{N: n, Policy: policy, Median: wall} }

func TestWhereAllAtOnceStopsBeingBest(t *testing.T) {
	at := func(n int, unbounded, batch, fixed float64) []Row {
		return []Row{row(n, experiment.Fixed, fixed), row(n, experiment.Unbounded, unbounded), row(n, Alive, 0.1), row(n, experiment.Batch, batch)}
	}
	for _, tt := range []struct {
		name         string
		rows         [][]Row
		best, loses  int
		to, sentence string
	}{
		{"always", [][]Row{at(10, 0.3, 1.5, 1.5), at(100, 0.3, 1.5, 1.5)}, 100, 0, "", "the most that were run"},
		{"up to some number", [][]Row{at(10, 0.3, 1.5, 1.5), at(100, 2, 1.5, 1.6)}, 10, 100, experiment.Batch, "with 100, batch was quicker"},
		{"never", [][]Row{at(10, 2, 1.6, 1.5)}, 0, 10, experiment.Fixed, "already quicker"},
		{"no more than runs differ", [][]Row{at(10, 1.55, 1.5, 1.6)}, 10, 0, "", "the most that were run"},
		{"once lost, a later win is luck", [][]Row{at(10, 2, 1, 1), at(100, 1, 2, 2)}, 0, 10, experiment.Batch, "already"},
		{"a part of the policies", [][]Row{{row(10, experiment.Unbounded, 1)}}, 0, 0, "", "too little"},
	} {
		r := &Result{}
		for i := range tt.rows {
			r.Rows = append(r.Rows, tt.rows[len(tt.rows)-1-i]...) // in any order
		}
		r.conclude()
		if r.BestUpTo != tt.best || r.LosesFrom != tt.loses || r.To != tt.to || !strings.Contains(r.Sentence(), tt.sentence) {
			t.Errorf("%s: best up to %d, loses from %d to %q: %s", tt.name, r.BestUpTo, r.LosesFrom, r.To, r.Sentence())
		}
	}
}

func TestBetweenTheNumbersThatEncloseTheAnswer(t *testing.T) {
	for _, tt := range []struct{ best, loses, want int }{
		{1_000_000, 3_000_000, 1_700_000}, {10, 20, 14}, {10, 11, 0}, {0, 5, 0}, {5, 0, 0},
	} {
		if got := (&Result{BestUpTo: tt.best, LosesFrom: tt.loses}).between(); got != tt.want {
			t.Errorf("between %d and %d: %d, want %d", tt.best, tt.loses, got, tt.want)
		}
	}
}

func TestWhatDoesNotFitIsRefusedAndNotTried(t *testing.T) {
	r, runs, err := Run(t.Context(), Config{
		N: []int{10, 1_000_000_000}, Runs: 1, Barrier: true,
		Memory: func() (int64, bool) { return 1 << 30, true },
	})
	if err != nil || len(r.Refused) != 1 || !strings.Contains(r.Refused[0], "1000000000 tasks need about 3000.0 GB") || len(runs) != 3 || len(r.Rows) != 4 {
		t.Errorf("%v, %v, %d runs, %d rows", err, r.Refused, len(runs), len(r.Rows))
	}
}

func TestWithABarrierAllAreAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, ok := alive(t.Context(), 1000)
		if !ok || r.PeakAlive != 1000 || r.Wall[0] != 0.3 || r.P99 != 300 || r.Launch != 0 {
			t.Errorf("%+v, %v: want 1000 alive for exactly 0.3 s", r, ok)
		}
	})
}

func TestAnInterruptLeavesOutTheRunThatWasCut(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, runs, err := Run(ctx, Config{N: []int{5, 6}, Runs: 1, Ran: func(*experiment.Run, Row) { cancel() }})
	if err != nil || !r.Interrupted || len(r.Rows) != 1 || len(runs) != 1 {
		t.Errorf("%v, interrupted %v, %d rows, %d runs", err, r.Interrupted, len(r.Rows), len(runs))
	}
}

// The sweep took the mean of the middle two runs, and the tables of the same runs the
// lower one: one page of the report had 0.31 s and 0.30 s for the same policy.
func TestTheMedianIsThatOfTheTables(t *testing.T) {
	s := &sweep{result: &Result{}}
	for _, wall := range []float64{0.310, 0.304} {
		s.add(nil, Row{N: 10, Policy: experiment.Unbounded, Wall: []float64{wall}})
	}
	if got := s.result.Rows[0].Median; got != 0.304 {
		t.Errorf("%v, want 0.304, which was measured", got)
	}
}
