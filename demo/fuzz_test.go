package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

// Whatever is on the command line is refused in one line, with the status of a usage
// error and without the password of a DSN, or is a run that can be made: no constructor
// of a policy or an origin turns down what the flags have let through.
func FuzzFlagsLetThroughWhatCannotRun(f *testing.F) {
	for _, args := range []string{
		"", "--n 5,10 --runs 2", "--policies fixed,pool --limit 3", "--rate NaN", "--rate 1e-320 --policies rate",
		"--experiments http --mechanism streams --workers 65536", "--n 1,,2", "--spread=-0", "--json - --csv -",
		"--dsn postgres://me:hunter2@h/db --stand-in", "--dsn", "--experiments=sleep,", "--addr [::1%lo]:80",
		"--batch 10000000 --n 10000000 --experiments sleep", "--initial 10000000 --policies vegas", "-h", "--", "x\ny", "--mechanism=a\nb",
		"-dsn=postgres://me:hunter2@h/db", "---dsn=postgres://me:hunter2@h/db", "--dns=postgres://me:hunter2@h/db", "postgres://me:hunter2@h/db",
	} {
		f.Add(strings.ReplaceAll(args, " ", "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "complet") || strings.HasPrefix(a, "help") }) {
			return // cobra's own commands
		}
		c := newCommand(func(o options) error { makeAll(t, o); return nil })
		c.SetArgs(args)
		c.SetOut(io.Discard)
		c.SetErr(io.Discard)
		err := c.Execute()
		if err == nil {
			return
		}
		var failure *failure
		if !errors.As(err, &failure) || failure.code != exitUsage {
			t.Errorf("%q: status of %v", args, err)
		}
		if strings.ContainsAny(err.Error(), "\n\r\x1b") {
			t.Errorf("%q: more than a line: %q", args, err)
		}
		if strings.Contains(err.Error(), "hunter2") && slices.ContainsFunc(args, looksLikeDSN) {
			t.Errorf("%q: %v", args, err)
		}
	})
}

// looksLikeDSN reports whether somebody has meant arg to be a DSN.
func looksLikeDSN(arg string) bool {
	flag := strings.TrimLeft(arg, "-")
	return strings.HasPrefix(flag, "dsn=") || strings.HasPrefix(flag, "dns=") || strings.HasPrefix(arg, "postgres://")
}

// makeAll makes whatever a run with o makes before it calls anything.
func makeAll(t *testing.T, o options) {
	s := session{options: o}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if slices.Contains(o.experiments, experiment.NameHTTP) {
		if _, err := origin.Start(ctx, o.config()); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, w := range []experiment.Workload{experiment.NewUneven(o.seed), experiment.NewSleep(o.seed, o.spread)} {
		for _, n := range s.numbers(w) {
			for _, p := range s.plan(w, n) {
				p.New()
			}
		}
	}
	if o.timeout <= 0 || o.timeout > time.Hour || o.hold <= 0 || o.hold > time.Hour || o.runs < 1 {
		t.Errorf("%+v", o)
	}
}
