package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/selfcheck"
)

// selfcheckValid says for each flag what it takes.
var selfcheckValid = map[string]string{"runs": "a whole number from 1 to 100"}

const selfcheckLead = `Check the harness itself: what it adds to the wall time of the sleep run, whether
its latencies agree with the log of the origin, which is another process, and
whether the calls in flight that it samples are those of Little's law.

It takes half a minute, in which nothing else should use the machine.
`

const selfcheckTail = `
Exit status: 0 all of it holds, 1 internal error, 2 wrong flag, 3 something does
not, 130 interrupted. "go run" turns all but 0 into 1.
`

// newSelfcheckCommand returns the command selfcheck.
func newSelfcheckCommand(s streams) *cobra.Command {
	runs := 0
	flags := newFlagGroup("Flags")
	flags.set.IntVar(&runs, "runs", 10, "`times` to measure each")
	return subcommand{
		use: "selfcheck", short: "Check what the harness costs and whether it tells the truth",
		lead: selfcheckLead, tail: selfcheckTail, valid: selfcheckValid,
		args: func(args []string) error {
			if len(args) > 0 {
				return usageError("unknown argument %s; selfcheck takes flags only", shown(args[0]))
			}
			return nil
		},
		flags: []flagGroup{flags},
		run: func([]string, map[string]string) (err error) {
			if runs < 1 || runs > 100 {
				return usageError("--runs is %d; valid: %s", runs, selfcheckValid["runs"])
			}
			*s.code, err = runSelfcheck(s.ctx, runs, s.stdout)
			return err
		},
	}.command()
}

func runSelfcheck(ctx context.Context, runs int, stdout *os.File) (int, error) {
	out, style := &output{w: stdout}, report.StyleOf(stdout)
	code := exitOK
	show := func(f selfcheck.Finding) {
		mark := style.Good("✓")
		if !f.Met {
			mark, code = style.Bad("✗"), exitThreshold
		}
		note := ""
		if f.Noisy {
			note = style.Dim(", while other programs were busy: run it again")
		}
		fmt.Fprintf(out, "%s %s: %s (want %s)%s\n", mark, f.What, f.Got, f.Want, note)
	}
	overhead, err := selfcheck.Overhead(ctx, runs)
	if err == nil {
		show(overhead)
		var findings []selfcheck.Finding
		findings, err = selfcheck.Latency(ctx, min(runs, 3))
		for _, f := range findings {
			show(f)
		}
	}
	switch {
	case ctx.Err() != nil:
		return 0, &failure{exitInterrupted, errors.New("interrupted")}
	case err != nil:
		return 0, err
	}
	return code, out.lost()
}
