// Command bench runs the benchmarks of this module and prints one table: every
// operation of package limiter beside its rivals, with the ratios, and whether
// the bars that the project has set itself are met.
//
//	go run ./bench                      # everything, two or three minutes
//	go run ./bench -run '^(Fixed|Queue)' -rounds 10 -benchtime 200ms
//
// The sides take turns: each round measures every side once, one after the
// other, in a process of its own, and every second round goes the other way
// round. A ratio is the median of the ratios within rounds, so that a slow
// minute of the machine, which hits all sides alike, cancels out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const (
	exitOK = iota
	exitFailed
	exitUsage
)

// settings are what the command line sets.
type settings struct {
	rounds    int
	benchtime string
	run       *regexp.Regexp
	markdown  bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return exitUsage
	}
	if err := measure(ctx, set, stdout, stderr); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var set settings
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&set.rounds, "rounds", 6, "how often each side is measured; fewer than 6 give no 95 % interval")
	fs.StringVar(&set.benchtime, "benchtime", "100ms", "time, or count such as 1000x, of one measurement")
	pattern := fs.String("run", "", "regular `expression` of the operations to measure; all if empty")
	fs.BoolVar(&set.markdown, "markdown", false, "print Markdown")
	if err := fs.Parse(args); err != nil {
		return set, err
	}
	if fs.NArg() > 0 {
		return set, fmt.Errorf("unexpected argument %q; operations are chosen with -run", fs.Arg(0))
	}
	if set.rounds < 1 || set.rounds > 1000 {
		return set, fmt.Errorf("-rounds is %d, want 1 to 1000", set.rounds)
	}
	if !validBenchtime(set.benchtime) {
		return set, fmt.Errorf("-benchtime is %q, want a positive duration such as 100ms or a count such as 1000x", set.benchtime)
	}
	var err error
	if set.run, err = regexp.Compile(*pattern); err != nil {
		return set, fmt.Errorf("-run: %w", err)
	}
	return set, nil
}

func validBenchtime(s string) bool {
	if count, ok := strings.CutSuffix(s, "x"); ok {
		n, err := strconv.Atoi(count)
		return err == nil && n > 0
	}
	d, err := time.ParseDuration(s)
	return err == nil && d > 0
}

func measure(ctx context.Context, set settings, stdout, stderr io.Writer) error {
	fmt.Fprintln(stderr, "building ...")
	bin, clean, err := build(ctx)
	if err != nil {
		return err
	}
	defer clean()
	ops, about, err := bin.list(ctx, set.run)
	if err != nil {
		return err
	}
	if len(ops) == 0 {
		return fmt.Errorf("no operation matches -run %q", set.run)
	}
	about.modules, err = modules(ctx)
	if err != nil {
		return err
	}
	for round := range set.rounds {
		began := time.Now()
		for _, op := range ops {
			if err := op.round(ctx, bin, set.benchtime, round%2 == 1); err != nil {
				return err
			}
		}
		fmt.Fprintf(stderr, "round %d of %d took %v\n", round+1, set.rounds, time.Since(began).Round(time.Second))
	}
	report(stdout, set, about, ops)
	return nil
}
