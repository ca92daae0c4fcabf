package experiment

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

func TestMain(m *testing.M) {
	origin.Main()
	// A process built with -race sleeps for a second when it exits, and the
	// origins of these tests are such processes.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// mustPolicy makes a policy of w by its name.
func mustPolicy(t *testing.T, w Workload, name string, n int, c Choices) Policy {
	t.Helper()
	policies := Policies(w, []string{name}, n, c)
	if len(policies) != 1 {
		t.Fatalf("%s knows no policy %s", w.Name(), name)
	}
	return policies[0]
}

// mustRun makes one run and checks what holds for every run.
func mustRun(t *testing.T, w Workload, n int, p Policy) *Run {
	t.Helper()
	var r Runner
	run, err := r.Run(t.Context(), w, n, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	if sum := run.Counts.Sum(); sum != n {
		t.Errorf("%s: %d tasks ended, want %d: %+v", p.Text, sum, n, run.Counts)
	}
	if run.GoroutinesLeft != 0 {
		t.Errorf("%s left %d goroutines behind", p.Text, run.GoroutinesLeft)
	}
	if k := len(run.Timeline); k == 0 || k > maxPoints {
		t.Errorf("%s: %d points in the timeline, want 1 to %d", p.Text, k, maxPoints)
	} else if last := run.Timeline[k-1]; last.Completed+last.Queued != n || last.InFlight != 0 {
		t.Errorf("%s: the timeline ends with %+v, want all of %d tasks completed", p.Text, last, n)
	}
	return run
}
