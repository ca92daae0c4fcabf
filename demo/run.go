package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/machine"
	"github.com/tidegate-go/tidegate/demo/internal/postgres"
	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/sleepsweep"
)

// A session is one run of the command.
type session struct {
	options
	out      *output // tables
	style    report.Style
	progress *report.Progress
	runner   experiment.Runner
	document *report.Document
	python   *experiment.Asyncio // nil: not asked for, or not there
}

// run runs what o asks for and returns the exit status. An error means that
// nothing has been run.
func run(ctx context.Context, o options, stdout, stderr *os.File) (int, error) {
	goroutines := runtime.NumGoroutine()
	outs, err := openOutputs(ctx, o, stdout)
	if err != nil {
		return 0, err
	}
	if err := o.fits(machine.Memory); err != nil {
		outs.discard()
		return 0, err
	}
	tables := stdout
	if o.json == "-" || o.csv == "-" || o.md == "-" {
		tables = stderr // standard output is for whoever reads that
	}
	s := &session{
		options: o, out: &output{w: tables}, style: report.StyleOf(tables),
		document: &report.Document{Schema: report.Schema, Kind: report.KindRun, Environment: experiment.ReadEnvironment()},
	}
	s.document.Environment.Seed, s.document.Environment.Runs = o.seed, o.runs
	s.document.Environment.Flags = o.recorded()
	s.progress = report.NewProgress(stderr, report.StyleOf(stderr), 0)
	if o.asyncio {
		if s.python, err = experiment.FindAsyncio(ctx); err != nil {
			s.progress.Say("--asyncio is skipped: " + err.Error())
		}
	}
	loads, err := s.open(ctx)
	if err != nil {
		outs.discard()
		return 0, err
	}
	s.progress = report.NewProgress(stderr, report.StyleOf(stderr), s.count(loads))
	s.runner.Sampled = s.progress.Sampled

	err = s.all(ctx, loads)
	for _, w := range loads {
		err = errors.Join(err, w.Close())
	}
	s.document.Interrupted = ctx.Err() != nil
	if err != nil {
		s.document.Error = err.Error()
	}
	if lost := outs.write(s.document); lost != nil {
		s.document.Error = lost.Error()
		err = errors.Join(err, lost)
	}
	report.Closing(s.out, s.style, s.document)
	s.say(ctx, outs)
	return s.end(err, goroutines, stderr), nil
}

// fits returns an error if the tasks do not fit into the memory that is free: the system
// would end this program in the middle, and perhaps others. A sweep, which nobody has
// told how far to go, already stops at half of it.
func (o *options) fits(memory func() (int64, bool)) error {
	free, ok := memory()
	if len(o.n) == 0 || !ok {
		return nil
	}
	if n := slices.Max(o.n); n > int(free/sleepsweep.BytesPerTask) {
		return &failure{exitEnvironment, fmt.Errorf("--n is %d, and so many tasks may need %.1f GB, of which %.1f GB are free",
			n, float64(n)*sleepsweep.BytesPerTask/1e9, float64(free)/1e9)}
	}
	return nil
}

// end says what went wrong and returns the exit status.
func (s *session) end(err error, goroutines int, stderr io.Writer) int {
	if left := leftBehind(goroutines); left > 0 {
		fmt.Fprintf(stderr, "demo: %d goroutines are left; that is a defect worth reporting\n", left)
		err = errors.Join(err, errors.New("goroutines left"))
	}
	lost := s.out.lost()
	if s.document.Error != "" {
		fmt.Fprintln(stderr, "demo: "+s.document.Error)
	}
	switch {
	case lost != nil:
		fmt.Fprintln(stderr, "demo: "+lost.Error())
		return exitInternal // even after an interrupt: what was done is not above
	case s.document.Interrupted:
		fmt.Fprintln(stderr, "demo: interrupted; what was done is above")
		return exitInterrupted
	case err != nil:
		return exitInternal
	}
	return exitOK
}

// open starts everything that the experiments need. It does so before the first
// run, because somebody whose server cannot be reached wants to know now.
func (s *session) open(ctx context.Context) (loads []experiment.Workload, err error) {
	defer func() {
		if err != nil {
			for _, w := range loads {
				_ = w.Close() // the first error is the one to report
			}
		}
	}()
	for _, name := range experiment.Names {
		if !slices.Contains(s.experiments, name) {
			continue
		}
		w, err := s.openOne(ctx, name)
		if err != nil {
			return loads, classified(ctx, err)
		}
		loads = append(loads, w)
	}
	return loads, nil
}

func (s *session) openOne(ctx context.Context, name string) (experiment.Workload, error) {
	switch name {
	case experiment.NameHTTP:
		w, err := experiment.OpenHTTP(ctx, s.config(), s.timeout)
		if err != nil {
			return nil, err // not w: a nil pointer in an interface is not nil
		}
		return w, nil
	case experiment.NamePostgres:
		c := postgres.Config{DSN: s.dsn, ForceStandIn: s.standIn, Log: s.progress.Say}
		w, err := experiment.OpenPostgres(ctx, c, s.hold)
		if err != nil {
			return nil, err
		}
		return w, nil
	case experiment.NameUneven:
		return experiment.NewUneven(s.seed), nil
	default:
		return experiment.NewSleep(s.seed, s.spread), nil
	}
}

// numbers are the numbers of tasks for w.
func (s *session) numbers(w experiment.Workload) []int {
	if len(s.n) > 0 {
		return s.n
	}
	return w.DefaultN()
}

func (s *session) plan(w experiment.Workload, n int) []experiment.Policy {
	names := s.policies
	if slices.Equal(names, experiment.DefaultPolicies) {
		names = experiment.Worthwhile(w, n, names)
	}
	policies := experiment.Policies(w, names, n, experiment.Choices{Limit: s.limit, Batch: s.batch, Rate: s.rate, Initial: s.initial})
	if s.python != nil {
		policies = append(policies, experiment.AsyncioPolicies(w, policies, s.python)...)
	}
	return policies
}

func (s *session) count(loads []experiment.Workload) (runs int) {
	for _, w := range loads {
		for _, n := range s.numbers(w) {
			runs += len(s.plan(w, n)) * s.runs
		}
	}
	return runs
}

// all runs the experiments. One that cannot go on does not keep the others from
// running.
func (s *session) all(ctx context.Context, loads []experiment.Workload) (err error) {
	for _, w := range loads {
		if ctx.Err() != nil {
			break
		}
		if warmUpErr := s.runner.WarmUp(ctx, w); warmUpErr != nil {
			err = errors.Join(err, warmUpErr)
			continue
		}
		for _, n := range s.numbers(w) {
			if ctx.Err() != nil {
				break
			}
			if oneErr := s.one(ctx, w, n); oneErr != nil {
				err = errors.Join(err, oneErr)
				break
			}
		}
	}
	return err
}

// one runs one experiment with one number of tasks and shows what came of it.
func (s *session) one(ctx context.Context, w experiment.Workload, n int) (err error) {
	policies := s.plan(w, n)
	report.Plan(s.out, s.style, w, n, policies)
	s.progress.Open(w, n, s.runs, policies)
	var runs []*experiment.Run
	for repeat := 1; repeat <= s.runs && err == nil; repeat++ {
		for _, p := range experiment.Order(w, n, policies, s.seed, repeat) {
			if ctx.Err() != nil {
				break
			}
			s.progress.Begin(w, n, p)
			var r *experiment.Run
			if r, err = s.runner.Run(ctx, w, n, p, repeat); r != nil {
				r.Interrupted = r.Interrupted || err != nil // what was called has gone, say
				runs = append(runs, r)
			}
			s.progress.End(r)
			if err != nil {
				break
			}
		}
	}
	s.progress.Close()
	s.document.Runs = append(s.document.Runs, runs...)
	report.Results(s.out, s.style, w.Name(), n, runs)
	return err
}

// leftBehind waits a moment for goroutines that are about to end.
func leftBehind(level int) int {
	for range 200 {
		if runtime.NumGoroutine() <= level {
			return 0
		}
		time.Sleep(5 * time.Millisecond)
	}
	return runtime.NumGoroutine() - level
}
