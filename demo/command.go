package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/postgres"
)

// The exit statuses. `go run` turns all but 0 into 1.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2
	exitEnvironment = 4
	exitInterrupted = 130 // what a shell reports for a program that Ctrl-C has ended
)

// commandRun is the name of what runs if no command is named.
const commandRun = "run"

// Main runs the command and returns its exit status.
func Main(args []string, stdout, stderr *os.File) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Once the first signal has come, the next one has its ordinary effect,
	// which is to end the program at once.
	context.AfterFunc(ctx, stop)

	code := exitOK
	command := newCommand(func(o options) error {
		var err error
		code, err = run(ctx, o, stdout, stderr)
		return err
	})
	command.AddCommand(subcommands(streams{ctx, stdout, stderr, &code})...)
	command.SetArgs(args)
	out := &output{w: stdout} // of the help and the version; run has its own
	command.SetOut(out)
	command.SetErr(stderr)
	err := command.Execute()
	if lost := out.lost(); lost != nil {
		err = lost
	}
	if err == nil {
		return code
	}
	fmt.Fprintln(stderr, "demo: "+err.Error())
	var failure *failure
	if errors.As(err, &failure) {
		return failure.code
	}
	return exitInternal
}

// A failure is an error with the exit status that it leads to.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usageError(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

// errEarly is all that there is to say if the user ends what has not begun.
var errEarly = &failure{exitInterrupted, errors.New("interrupted before the first run")}

// classified gives an error of opening the exit status that it leads to.
func classified(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return errEarly
	case errors.Is(err, postgres.ErrBadDSN), errors.Is(err, postgres.ErrBadConfig):
		return &failure{exitUsage, err}
	default:
		return &failure{exitEnvironment, err}
	}
}

// newCommand returns the command, which calls run with valid options.
func newCommand(run func(options) error) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:           "demo",
		Version:       experiment.Version(),
		SilenceErrors: true, // Main prints them, one line each
		SilenceUsage:  true, // a page of usage would hide that line
		Args: func(c *cobra.Command, args []string) error {
			// The default has a name, too, for those who look for one beside the others.
			if len(args) > 0 && !slices.Equal(args, []string{commandRun}) {
				names := []string{commandRun}
				for _, sub := range c.Commands() {
					names = append(names, sub.Name())
				}
				if args[0] == commandRun {
					args = args[1:]
				}
				return usageError("unknown command %s; valid are %s, or flags only, such as --experiments %s; see --help",
					shown(args[0]), strings.Join(names, ", "), strings.Join(experiment.Names, ","))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			o.given = map[string]string{}
			c.Flags().Visit(func(f *pflag.Flag) { o.given[f.Name] = f.Value.String() })
			if err := o.check(); err != nil {
				return err
			}
			return run(o)
		},
	}
	groups := o.flags()
	for _, g := range groups {
		c.Flags().AddFlagSet(g.set)
	}
	c.SetFlagErrorFunc(flagError(valid))
	usual := c.HelpFunc()
	c.SetHelpFunc(func(of *cobra.Command, args []string) {
		if of != c {
			usual(of, args) // of completion, which is cobra's own
			return
		}
		help(c.OutOrStdout(), groups)
	})
	completeFlags(c)
	return c
}

// flagError says what would be valid instead.
func flagError(valid map[string]string) func(*cobra.Command, error) error {
	return func(c *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		var invalid *pflag.InvalidValueError
		var bare *pflag.ValueRequiredError
		switch {
		case errors.As(err, &unknown):
			var names []string
			c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
			flag := "--" + unknown.GetSpecifiedName()
			if short := unknown.GetSpecifiedShortnames(); short != "" {
				flag = "-" + short // which a flag with one dash too few looks like
			}
			return usageError("unknown flag %s; valid are %s", shown(flag), strings.Join(names, ", "))
		case errors.As(err, &invalid):
			name := invalid.GetFlag().Name
			return usageError("--%s is %q; valid: %s", name, invalid.GetValue(), valid[name])
		case errors.As(err, &bare):
			name := bare.GetFlag().Name
			return usageError("--%s needs a value; valid: %s", name, valid[name])
		}
		var syntax *pflag.InvalidSyntaxError
		if errors.As(err, &syntax) {
			return usageError("%s is no flag; see --help", shown(syntax.GetSpecifiedFlag()))
		}
		return usageError("%w; see --help", err)
	}
}

// shown is an argument as an error repeats it: quoted, and only as far as it cannot be
// a value or a URL, which may hold a password.
func shown(arg string) string {
	if i := strings.IndexAny(arg, "=:@"); i >= 0 {
		arg = arg[:i] + "…"
	}
	return strconv.Quote(arg)
}
