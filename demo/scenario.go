package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/realtime"
	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

// scenarioOptions are what the flags of the command scenario say.
type scenarioOptions struct {
	policies  []string
	scenarios []string
	random    int
	shared    int
	seed      uint64
	seeds     int
	worst     int
	list      bool
	json      string

	live    bool
	phase   time.Duration
	timeout time.Duration
}

// scenarioValid says for each flag what it takes.
var scenarioValid = map[string]string{
	"policy":   "names of policies, with commas between them; --list shows them",
	"scenario": "names or globs of scenarios or groups, with commas between them, or all; --list shows them",
	"random":   "a whole number from 0 to 10000",
	"shared":   "a whole number from 0 to 10000",
	"seed":     "a whole number from 0 to 18446744073709551615",
	"seeds":    "a whole number from 1 to 1000",
	"worst":    "a whole number from 0 to 10000",
	"json":     "the name of a file that can be written, or - for standard output",
	"list":     "true or false",
	"live":     "true or false; not beside --random, --shared, --seed, --seeds and --worst",
	"phase":    "a duration from 1s to 10m, with --live",
	"timeout":  "a duration from 10ms to 1m, with --live",
}

func (o *scenarioOptions) flags() *pflag.FlagSet {
	set := pflag.NewFlagSet("scenario", pflag.ContinueOnError)
	set.SortFlags = false
	set.StringSliceVar(&o.policies, "policy", []string{"fixed", "adaptive", "aimd"}, "`names` of the policies")
	set.StringSliceVar(&o.scenarios, "scenario", nil, "`names`, globs or groups of scenarios (default all, or none beside --random or --shared)")
	set.IntVar(&o.random, "random", 0, "`number` of worlds to draw: one client, one change halfway")
	set.IntVar(&o.shared, "shared", 0, "`number` of worlds to draw: 2 to 10 clients of one server")
	set.Uint64Var(&o.seed, "seed", 1, "`number` that all chance follows from, drawn worlds included")
	set.IntVar(&o.seeds, "seeds", 1, "how many seeds to run, from --seed on")
	set.IntVar(&o.worst, "worst", 5, "of drawn worlds show for each policy so many of the phases with the least goodput")
	set.BoolVar(&o.list, "list", false, "list scenarios and policies, and run nothing")
	set.StringVar(&o.json, "json", "", "`file` for all results as JSON, or - for standard output")
	set.BoolVar(&o.live, "live", false, "play in real time against an origin in a process of its own; --scenario then chooses from "+strings.Join(realtime.Names(), ", "))
	set.DurationVar(&o.phase, "phase", 5*time.Second, "with --live: `duration` of each phase")
	set.DurationVar(&o.timeout, "timeout", time.Second, "with --live: `duration` after which a call in flight is given up")
	return set
}

const scenarioLead = `Run policies against modelled servers and callers, in virtual time: a minute of a
busy server takes milliseconds, and the same seed gives the same output to the
byte. Everything is shown beside the oracle: the smallest fixed limit within 2 %
of the best goodput that any fixed limit has in that phase, under the same chance.

Examples:
  go run ./demo scenario --list                       what there is
  go run ./demo scenario                              all of it, one seed, in about a minute
  go run ./demo scenario --scenario study --seeds 4   the published comparison
  go run ./demo scenario --scenario 'k*',cold --policy adaptive --seeds 20
  go run ./demo scenario --random 90 --seed 7         drawn worlds
  go run ./demo scenario --shared 48 --seed 7         drawn worlds with several clients
  go run ./demo scenario --scenario step --json -     for programs
  go run ./demo scenario --live --scenario step       the same in real time: a minute
`

const scenarioTail = `
The columns: goodput as a share of the oracle's (and the lowest of the seeds);
latency in flight times the oracle's; lost: calls refused, overdue, cancelled,
failed or shed; converged: in how many runs, and after how many seconds at the
median and at worst (from then on for 3 s, windows of 1 s have at least 90 % of
the oracle's goodput and at most 1.5 times its mean latency); Jain's index of
fairness among clients; the limit's mean, and its range in the second half.

With --live an origin in a process of its own changes while real Limiters call it.
All policies have the same callers, one after the other, and are shown beside a run
whose limit is the best fixed one of each phase, searched in virtual time. All five
scenarios under the three usual policies take some four minutes.

A policy fixed has the oracle's limit of the first graded phase and keeps it;
oracle changes it with every phase; fixed-20 has 20.

Exit status: 0 done (whatever the bars say), 1 internal error, 2 wrong flag or
value, 130 interrupted. "go run" turns all but 0 into 1.
`

// newScenarioCommand returns the command scenario.
func newScenarioCommand(s streams) *cobra.Command {
	var o scenarioOptions
	return subcommand{
		use: "scenario", short: "Run policies against modelled servers, in virtual time",
		lead: scenarioLead, tail: scenarioTail, valid: scenarioValid,
		args: func(args []string) error {
			if len(args) > 0 {
				return usageError("unknown argument %s; scenario takes flags only, such as --scenario %s", shown(args[0]), strings.Trim(shown(args[0]), `"`))
			}
			return nil
		},
		flags: []flagGroup{{"Flags", o.flags()}},
		run: func([]string, map[string]string) (err error) {
			*s.code, err = o.run(s.ctx, s.stdout, s.stderr)
			return err
		},
	}.command()
}

// jobs are the runs that the flags ask for.
func (o *scenarioOptions) jobs() (jobs []scenario.Job, err error) {
	for name, good := range map[string]bool{
		"random": 0 <= o.random && o.random <= 10_000,
		"shared": 0 <= o.shared && o.shared <= 10_000,
		"seeds":  1 <= o.seeds && o.seeds <= 1000,
		"worst":  0 <= o.worst && o.worst <= 10_000,
	} {
		if !good {
			return nil, usageError("--%s is out of range; valid: %s", name, scenarioValid[name])
		}
	}
	makers, err := makersOf(o.policies)
	if err != nil {
		return nil, err
	}
	var worlds []*scenario.World
	patterns := o.scenarios
	if len(patterns) == 0 && o.random+o.shared == 0 {
		patterns = []string{"all"}
	}
	if len(patterns) > 0 {
		if worlds, err = scenario.Match(patterns); err != nil {
			return nil, usageError("--scenario: %w", err)
		}
	}
	for _, w := range worlds {
		for i := range o.seeds {
			jobs = each(jobs, w, makers, o.seed+uint64(i))
		}
	}
	for i := range o.seeds {
		seed := o.seed + uint64(i)
		for k := range o.random {
			jobs = each(jobs, scenario.Random(seed, k), makers, seed)
		}
	}
	for i := range o.seeds {
		seed := o.seed + uint64(i)
		for k := range o.shared {
			jobs = each(jobs, scenario.Shared(seed, k), makers, seed)
		}
	}
	return jobs, nil
}

// each adds a run of w under each policy.
func each(jobs []scenario.Job, w *scenario.World, makers []scenario.Maker, seed uint64) []scenario.Job {
	for _, m := range makers {
		jobs = append(jobs, scenario.Job{World: w, Maker: m, Seed: seed})
	}
	return jobs
}

func makersOf(names []string) (makers []scenario.Maker, err error) {
	if len(names) == 0 {
		return nil, usageError("--policy is empty; valid: %s", scenarioValid["policy"])
	}
	seen := map[string]bool{}
	for _, name := range names {
		m, err := scenario.MakerOf(name)
		if err != nil {
			return nil, usageError("--policy: %w", err)
		}
		if seen[name] {
			return nil, usageError("--policy: %q given twice", name)
		}
		seen[name] = true
		makers = append(makers, m)
	}
	return makers, nil
}

// run does what the flags ask for and returns the exit status.
func (o *scenarioOptions) run(ctx context.Context, stdout, stderr *os.File) (int, error) {
	out := &output{w: stdout}
	if o.list {
		report.Scenarios(out, report.StyleOf(stdout), scenario.All(), scenario.Makers)
		report.LiveScenarios(out, report.StyleOf(stdout), realtime.Stories())
		return exitOK, out.lost()
	}
	if o.live {
		return o.runLive(ctx, out, stdout, stderr)
	}
	jobs, err := o.jobs()
	if err != nil {
		return 0, err
	}
	file, tables, err := o.open(ctx, out, stdout, stderr)
	if err != nil {
		return 0, err
	}
	results := scenario.NewLab().All(ctx, jobs, counter(stderr, len(jobs)))
	d := report.NewScenarioDocument(results, ctx.Err() != nil)
	report.ScenarioTables(out, report.StyleOf(tables), d, o.worst)
	return o.finish(ctx, d, file, out, stdout, stderr)
}

// open makes ready what the output goes to: the file for the JSON, if there is one,
// and where the tables are written.
func (o *scenarioOptions) open(ctx context.Context, out *output, stdout, stderr *os.File) (file *report.File, tables *os.File, err error) {
	switch o.json {
	case "":
		return nil, stdout, nil
	case "-":
		out.w = stderr // standard output is for whoever reads the JSON
		return nil, stderr, nil
	}
	if file, err = report.Create(ctx, o.json, stdout); err != nil {
		if ctx.Err() != nil {
			return nil, nil, errEarly
		}
		return nil, nil, usageError("--json: %w; valid: %s", err, scenarioValid["json"])
	}
	return file, stdout, nil
}

// finish writes the JSON and says how it ended.
func (o *scenarioOptions) finish(ctx context.Context, d report.Writer, file *report.File, out *output, stdout, stderr *os.File) (status int, err error) {
	switch {
	case file != nil:
		err = file.Commit(d)
	case o.json == "-":
		err = d.Write(stdout)
	}
	if err != nil {
		err = fmt.Errorf("writing the JSON: %w", err)
	}
	if err = errors.Join(err, out.lost()); err != nil {
		return exitInternal, err
	}
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "demo: interrupted; what was done is above")
		return exitInterrupted, nil
	}
	return exitOK, nil
}

// counter shows on a terminal how many runs are done.
func counter(stderr *os.File, all int) func(done int) {
	if !report.StyleOf(stderr).Live {
		return nil
	}
	return func(done int) {
		line := fmt.Sprintf("\r%d of %d runs", done, all)
		if done == all {
			line = "\r" + strings.Repeat(" ", len(line)) + "\r"
		}
		fmt.Fprint(stderr, line)
	}
}
