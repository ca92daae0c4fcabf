package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// completeFlags has shells complete the values of flags, and not files where no
// file can be meant. The command completion, which cobra adds, writes the
// scripts for bash, zsh, fish and PowerShell.
func completeFlags(c *cobra.Command) {
	complete := func(flag string, f cobra.CompletionFunc) {
		if c.Flags().Lookup(flag) != nil {
			_ = c.RegisterFlagCompletionFunc(flag, f) // fails for unknown flags only
		}
	}
	complete("experiments", listOf(experiment.Names))
	complete("policies", listOf(experiment.PolicyNames))
	for flag, extension := range map[string]string{"json": "json", "csv": "csv", "md": "md", "report": "html"} {
		complete(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{extension}, cobra.ShellCompDirectiveFilterFileExt
		})
	}
	for _, flag := range []string{"n", "runs", "seed", "limit", "batch", "rate", "initial", "spread", "timeout", "workers", "service", "queue", "addr", "dsn", "hold"} {
		complete(flag, cobra.NoFileCompletions)
	}
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return []string{commandRun + "\tAll experiments under every policy, the default"}, cobra.ShellCompDirectiveNoFileComp
	}
}

// listOf completes the last name of a list with commas.
func listOf(names []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) (all []string, _ cobra.ShellCompDirective) {
		before, last := "", typed
		if i := strings.LastIndexByte(typed, ','); i >= 0 {
			before, last = typed[:i+1], typed[i+1:]
		}
		given := strings.Split(before, ",")
		for _, name := range names {
			if strings.HasPrefix(name, last) && !slices.Contains(given, name) {
				all = append(all, before+name)
			}
		}
		return all, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
}
