package experiment

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// In virtual time nothing costs time but the tasks, so a run that takes longer
// than its floor has lost time to the engine, and one that takes less has lost
// tasks.
func TestNoPolicyTakesMoreOrLessThanItsFloor(t *testing.T) {
	for _, spread := range []float64{0, 0.9} {
		for _, n := range []int{1, 4, 5, 103} { // remainders of 5 batches: 4 of 5, none, 3
			for _, name := range []string{Unbounded, Batch, Fixed} {
				synctest.Test(t, func(t *testing.T) {
					w := NewSleep(7, spread)
					run := mustRun(t, w, n, mustPolicy(t, w, name, n, Choices{}))
					if run.Counts.Succeeded != n {
						t.Errorf("%s, spread %v: %d of %d tasks succeeded", run.Label, spread, run.Counts.Succeeded, n)
					}
					if got, want := run.WallSeconds, run.FloorSeconds; got != want {
						t.Errorf("%s, %d tasks, spread %v: took %v s, want %v", run.Label, n, spread, got, want)
					}
				})
			}
		}
	}
}

func TestRateHoldsItsFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewSleep(1, 0)
		run := mustRun(t, w, 50, mustPolicy(t, w, Rate, 50, Choices{Rate: 100}))
		// 49 tasks wait for their token, 10 ms each, and the last one sleeps.
		if got := run.WallSeconds; got < run.FloorSeconds || got > run.FloorSeconds+0.001 {
			t.Errorf("took %v s, want the floor of %v", got, run.FloorSeconds)
		}
	})
}

func TestInterruptLosesNoTask(t *testing.T) {
	for _, name := range []string{Unbounded, Batch, Fixed, Rate, Adaptive, AIMD, Vegas, Gradient2, Gradient} {
		synctest.Test(t, func(t *testing.T) {
			const n = 100
			w := NewSleep(1, 0)
			ctx, cancel := context.WithTimeout(t.Context(), 450*time.Millisecond)
			defer cancel()
			var r Runner
			run, err := r.Run(ctx, w, n, mustPolicy(t, w, name, n, Choices{Rate: 100}), 1)
			if err != nil {
				t.Fatal(err)
			}
			if run.Counts.Sum() != n {
				t.Errorf("%s: the counts add up to %d, want %d: %+v", name, run.Counts.Sum(), n, run.Counts)
			}
			if c := run.Counts; c.Succeeded+c.Cancelled != n || c.Succeeded == 0 {
				t.Errorf("%s: %+v, want those that were done to have succeeded and the rest cancelled", name, c)
			}
			if want := run.Counts.Cancelled > 0; run.Interrupted != want {
				t.Errorf("%s: Interrupted is %v, want %v", name, run.Interrupted, want)
			}
			if run.WallSeconds > 0.56 {
				t.Errorf("%s: it took until %v s to end after the interrupt at 0.45 s", name, run.WallSeconds)
			}
			// Goroutines left behind fail the bubble itself. GoroutinesLeft is
			// for real time: it may count a cleanup of the garbage collector's,
			// which virtual time does not wait for.
		})
	}
}

func TestPoliciesGetTheSameTasks(t *testing.T) {
	a, b := NewSleep(3, 0.5), NewSleep(3, 0.5)
	other := NewSleep(4, 0.5)
	same := 0
	for i := range 100 {
		if a.naps(i) != b.naps(i) {
			t.Fatalf("task %d is not the same twice", i)
		}
		if a.naps(i) == other.naps(i) {
			same++
		}
		for _, d := range a.naps(i) {
			if d < napTime/2 || d > napTime*3/2 {
				t.Errorf("task %d sleeps %v, want 0.1 s ± 50 %%", i, d)
			}
		}
	}
	if same > 0 {
		t.Errorf("%d of 100 tasks do not depend on the seed", same)
	}
}
