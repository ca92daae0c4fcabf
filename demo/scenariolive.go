package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/realtime"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// runLive does what the flags ask for with --live.
func (o *scenarioOptions) runLive(ctx context.Context, out *output, stdout, stderr *os.File) (int, error) {
	switch {
	case o.random+o.shared > 0:
		return 0, usageError("--live cannot play drawn worlds; leave out --random and --shared, or --live")
	case o.seed != 1 || o.seeds != 1 || o.worst != 5:
		return 0, usageError("--live has no seeds; leave out --seed, --seeds and --worst")
	case o.phase < time.Second || o.phase > 10*time.Minute:
		return 0, usageError("--phase is %v; valid: %s", o.phase, scenarioValid["phase"])
	case o.timeout < 10*time.Millisecond || o.timeout > time.Minute:
		return 0, usageError("--timeout is %v; valid: %s", o.timeout, scenarioValid["timeout"])
	}
	patterns := o.scenarios
	if len(patterns) == 0 {
		patterns = []string{"all"}
	}
	stories, err := realtime.Match(patterns)
	if err != nil {
		return 0, usageError("--scenario: %w", err)
	}
	makers, err := makersOf(o.policies)
	if err != nil {
		return 0, err
	}
	file, tables, err := o.open(ctx, out, stdout, stderr)
	if err != nil {
		return 0, err
	}
	runner := &realtime.Runner{Makers: makers, Long: o.phase, Timeout: o.timeout}
	fmt.Fprintf(stderr, "%v of real time\n", runner.Lasts(stories))
	runner.Begins = func(s *realtime.Story, policy string) {
		fmt.Fprintf(stderr, "%s: %s, under %s\n", s.Name, s.About, policy)
	}
	results, err := runner.Run(ctx, stories)
	if err != nil {
		if file != nil {
			file.Discard()
		}
		return exitInternal, err
	}
	d := report.NewLiveDocument(results, ctx.Err() != nil)
	report.LiveTable(out, report.StyleOf(tables), d)
	return o.finish(ctx, d, file, out, stdout, stderr)
}
