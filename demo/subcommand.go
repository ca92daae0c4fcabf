package main

import (
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A subcommand is a command beside the default one.
type subcommand struct {
	use   string // its name and its arguments, as cobra has it
	short string // what completion says of it
	lead  string // of the help: what it does, and examples
	tail  string // of the help
	valid map[string]string
	// args checks the arguments; nil means that there must be none.
	args func(args []string) error
	// complete says what the arguments may be; nil for those without any.
	complete cobra.CompletionFunc
	// flags declares the flags.
	flags []flagGroup
	// run is called with valid flags only as far as their types go; it gets
	// those that were given.
	run func(args []string, given map[string]string) error
}

// command returns the cobra command.
func (s subcommand) command() *cobra.Command {
	words := map[string]string{"help": "true or false"}
	maps.Copy(words, s.valid)
	c := &cobra.Command{
		Use: s.use, Short: s.short, SilenceErrors: true, SilenceUsage: true, ValidArgsFunction: s.complete,
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case s.args != nil:
				return s.args(args)
			case len(args) > 0:
				return usageError("unknown argument %s; %s takes flags only; see %s --help", shown(args[0]), c.Name(), c.Name())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			given := map[string]string{}
			c.Flags().Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
			return s.run(args, given)
		},
	}
	for _, g := range s.flags {
		c.Flags().AddFlagSet(g.set)
	}
	c.SetFlagErrorFunc(flagError(words))
	c.SetHelpFunc(func(c *cobra.Command, _ []string) {
		var b strings.Builder
		b.WriteString(s.lead)
		for _, g := range s.flags {
			fmt.Fprintf(&b, "\n%s:\n%s", g.title, g.set.FlagUsages())
		}
		b.WriteString(s.tail)
		_, _ = io.WriteString(c.OutOrStdout(), b.String())
	})
	return c
}

// takesFiles are the args of a command whose arguments are files, and completes them.
func takesFiles([]string) error { return nil }

func completeJSON(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
}

func newFlagGroup(title string) flagGroup {
	set := pflag.NewFlagSet(title, pflag.ContinueOnError)
	set.SortFlags = false
	return flagGroup{title, set}
}

// checkGiven returns an error that says what is valid for a flag that was given
// and is not good.
func checkGiven(given map[string]string, good map[string]bool, valid map[string]string) error {
	for name, value := range given {
		if ok, checked := good[name]; checked && !ok {
			return usageError("--%s is %s; valid: %s", name, quoteEmpty(value), valid[name])
		}
	}
	return nil
}
