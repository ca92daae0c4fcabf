package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

const sweepLead = `Find how many calls should run at once, by measuring with one limit after
another.

Examples:
  go run ./demo sweep                                  an origin with 8 workers × 10 ms
  go run ./demo sweep --workers 32 --network 50ms      a far one needs more in flight
  go run ./demo sweep --mechanism quota                more in flight is no help there
  go run ./demo sweep --seed 7 --json sweep.json       all measurements
  go run ./demo sweep sleep                            tasks that only sleep, 1,000 to 3,000,000
  go run ./demo sweep sleep --n 100000,1000000 --barrier

What it sweeps:
  origin     (the default) an HTTP origin in a child process, whose true knee is
             known and printed beside the measured one
  sleep      tasks that sleep 3 × 0.1 s: up to which number "all at once" is best
`

const sweepTail = `
The answer is the smallest limit with at least 95 % of the best goodput, with
its interval. Results go to standard output, progress to standard error. Ctrl-C
ends the sweep and prints what was measured; a second one quits at once.

Exit status: 0 done, 1 internal error, 2 wrong flag or value, 4 something that
is needed is missing (--addr in use, too little memory for every number),
130 interrupted.
`

var validSweep = map[string]string{
	"max":     "a whole number from 4 to 100000",
	"rounds":  "a whole number from 1 to 100",
	"window":  "a duration from 0 (chosen) to 1m, such as 500ms",
	"timeout": "a duration above 0 and at most 1h, such as 500ms",
	"seed":    "a whole number from 0 to 18446744073709551615",
	"json":    validJSON,
	"n":       "whole numbers from 1 to 10000000, with commas between them",
	"runs":    "a whole number from 1 to 100",
	"barrier": "true or false",
}

// sweepOptions are what the flags say.
type sweepOptions struct {
	originFlags

	sleeping sleepOptions

	most    int
	rounds  int
	window  time.Duration
	timeout time.Duration
	seed    uint64
	json    string
}

const (
	whatOrigin = "origin"
	whatSleep  = "sleep"
)

func newSweep(s streams) *cobra.Command {
	var o sweepOptions
	general := newFlagGroup("Any sweep")
	general.set.Uint64Var(&o.seed, "seed", 1, "`number` that the order of the measurements follows from")
	general.set.StringVar(&o.json, "json", "", "`file` for everything as JSON, or - for standard output")
	how := newFlagGroup("Sweep of an origin")
	how.set.IntVar(&o.most, "max", 1024, "largest limit")
	how.set.IntVar(&o.rounds, "rounds", 6, "times to measure the limits around the knee")
	how.set.DurationVar(&o.window, "window", 0, "time to count calls with each limit (default six calls long, at least 250ms)")
	how.set.DurationVar(&o.timeout, "timeout", 5*time.Second, "of one call, from its start")
	it := newFlagGroup("The origin")
	o.addTo(it.set)
	sleep := newFlagGroup("Sweep of sleeping tasks")
	o.sleeping.addTo(sleep.set)

	all := map[string]string{}
	for _, m := range []map[string]string{validOrigin, validSweep} {
		for name, text := range m {
			all[name] = text
		}
	}
	c := subcommand{
		use: "sweep [origin|sleep]", lead: sweepLead, tail: sweepTail, valid: all,
		flags: []flagGroup{general, how, it, sleep},
		args: func(args []string) error {
			switch {
			case len(args) == 0, len(args) == 1 && (args[0] == whatOrigin || args[0] == whatSleep):
				return nil
			}
			return usageError("unknown argument %s; valid: %s (the default) or %s", shown(args[len(args)-1]), whatOrigin, whatSleep)
		},
		run: func(args []string, given map[string]string) error {
			what := whatOrigin
			if len(args) > 0 {
				what = args[0]
			}
			if err := o.check(what, given); err != nil {
				return err
			}
			if what == whatSleep {
				return o.sleep(s, given)
			}
			return o.origin(s, given)
		},
	}.command()
	c.ValidArgs = []string{whatOrigin, whatSleep}
	return c
}

// check returns an error that says what is valid for a flag that is not.
func (o *sweepOptions) check(what string, given map[string]string) error {
	if err := o.originFlags.check(given); err != nil {
		return err
	}
	good := o.sleeping.good()
	good["max"] = 4 <= o.most && o.most <= mostCalls
	good["rounds"] = 1 <= o.rounds && o.rounds <= 100
	good["window"] = 0 <= o.window && o.window <= time.Minute
	good["timeout"] = 0 < o.timeout && o.timeout <= longest
	good["json"] = o.json != ""
	if err := checkGiven(given, good, validSweep); err != nil {
		return err
	}
	foreign := append([]string{"max", "rounds", "window", "timeout"}, originFlagNames...)
	other := whatOrigin
	if what == whatOrigin {
		foreign, other = sleepFlagNames, whatSleep
	}
	for _, name := range foreign {
		if _, ok := given[name]; ok {
			return usageError("--%s has no effect on sweep %s; it is for sweep %s", name, what, other)
		}
	}
	return nil
}

// origin sweeps an origin of our own.
func (o *sweepOptions) origin(s streams, given map[string]string) error {
	w, err := s.begin(o.json, o.seed, o.rounds, given)
	if err != nil {
		return err
	}
	c := o.config()
	server, err := origin.Start(s.ctx, c)
	if err != nil {
		w.discard()
		return classified(s.ctx, err)
	}
	transport := c.Transport()
	target := &load.HTTP{Transport: transport, URL: server.URL(), Timeout: o.timeout}
	fmt.Fprintf(w.out, "%s\n  origin in a child process: %v\n", w.style.Bold("sweep of an origin"), c)
	progress := report.NewSweepProgress(s.stderr, report.StyleOf(s.stderr))
	// The burst of a quota is no part of what can be had: with it, more than the quota was
	// the best goodput, and the knee that of a far side that does not exist.
	result, err := sweep.Run(s.ctx, target, sweep.Config{
		Max: o.most, Rounds: o.rounds, Window: o.window, Warm: c.Settling(), Seed: o.seed, Measured: progress.Measured,
	})
	progress.End()
	transport.CloseIdleConnections()
	err = errors.Join(err, server.Close())
	if result != nil {
		result.Against = c.String()
		// It is a law of calls that wait for a worker, and not of those that are refused or
		// lost before that.
		if slow := slices.Equal(c.Mechanisms(), []origin.Mechanism{origin.Slow}); slow && result.Knee != nil {
			result.Law = result.Knee.Best * o.timeout.Seconds()
		}
		// What theory knows: workers behind a queue without a bound. A queue
		// that is bounded above the knee is the same up to there.
		if c.Backlog == 0 && c.Streams == 0 {
			result.Compare(knee.Network{Workers: c.Workers, Service: c.Service, Delay: c.Network, Quota: c.Quota})
		}
		w.doc.Sweep = result
		report.Sweep(w.out, w.style, result)
	}
	status := exitOK
	if err != nil && !errors.Is(err, context.Canceled) {
		status = exitInternal
	}
	w.end(err, status)
	return nil
}
