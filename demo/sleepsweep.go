package main

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/machine"
	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/sleepsweep"
)

// sleepOptions are the flags of a sweep of sleeping tasks.
type sleepOptions struct {
	n       []int
	runs    int
	barrier bool
}

var sleepFlagNames = []string{"n", "runs", "barrier"}

func (o *sleepOptions) addTo(set *pflag.FlagSet) {
	set.IntSliceVar(&o.n, "n", nil, "`numbers` of tasks (default 1,000 to 3,000,000, and some more around the answer)")
	set.IntVar(&o.runs, "runs", 1, "`times` to run each policy with each number")
	set.BoolVar(&o.barrier, "barrier", false, "also start all goroutines first and let them sleep then, so that all are alive at once")
}

func (o *sleepOptions) good() map[string]bool {
	return map[string]bool{
		"n":    len(o.n) > 0 && slices.Min(o.n) >= 1 && slices.Max(o.n) <= mostTasks,
		"runs": 1 <= o.runs && o.runs <= 100,
	}
}

// sleep sweeps sleeping tasks.
func (o *sweepOptions) sleep(s streams, given map[string]string) error {
	w, err := s.begin(o.json, o.seed, o.sleeping.runs, given)
	if err != nil {
		return err
	}
	numbers := slices.Sorted(slices.Values(o.sleeping.n))
	if len(numbers) == 0 {
		numbers = sleepsweep.Numbers
	}
	fmt.Fprintf(w.out, "%s\n  each task sleeps 3 × 0.1 s; all at once, in 5 batches, and with a fifth of them in flight\n", w.style.Bold("sweep of sleeping tasks"))
	progress := report.NewSweepProgress(s.stderr, report.StyleOf(s.stderr))
	result, runs, err := sleepsweep.Run(s.ctx, sleepsweep.Config{
		N: slices.Compact(numbers), Runs: o.sleeping.runs, Seed: o.seed, Barrier: o.sleeping.barrier, Refine: len(o.sleeping.n) == 0, Memory: machine.Memory,
		Ran: func(_ *experiment.Run, r sleepsweep.Row) {
			progress.Say("", fmt.Sprintf("  %d tasks, %s: %.2f s", r.N, r.Policy, r.Wall[len(r.Wall)-1]))
		},
		Refused: func(why string) { progress.Say(why, "  left out: "+why) },
	})
	progress.End()
	w.doc.Runs, w.doc.SleepSweep = runs, result
	report.SleepSweep(w.out, w.style, result)
	status := exitOK
	switch {
	case err != nil:
		status = exitInternal
	case len(result.Rows) == 0 && len(result.Refused) > 0:
		err, status = fmt.Errorf("no number was run: %s", result.Refused[0]), exitEnvironment
	}
	w.end(err, status)
	return nil
}
