package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/compare"
	"github.com/tidegate-go/tidegate/demo/internal/page"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// exitThreshold is the status of a command whose figures are not as good as they
// had to be.
const exitThreshold = 3

// compareOptions are what the flags of the command compare say.
type compareOptions struct {
	threshold float64
	all, json bool
}

// compareValid says for each flag what it takes.
var compareValid = map[string]string{
	"threshold": "a number from 0 to 10, such as 0.1 for 10 %",
	"all":       "true or false",
	"json":      "true or false",
}

const compareLead = `Compare results of runs: what differs, whether chance would do that (Mann and
Whitney's U test over the runs, p < 0.05), and whether it is worse. The first file
is what each of the others is compared with.

Examples:
  go run ./demo --runs 6 --json before.json
  go run ./demo --runs 6 --json after.json
  go run ./demo compare before.json after.json
  go run ./demo compare before.json after.json --threshold 0.05 --all

It takes at least four runs in both files for anything to be shown.
`

const compareTail = `
Exit status: 0 no regression, 1 internal error, 2 wrong flag or file, 3 something
is significantly worse by more than the threshold. "go run" turns all but 0 into 1.
`

func (o *compareOptions) flags() *pflag.FlagSet {
	set := pflag.NewFlagSet("compare", pflag.ContinueOnError)
	set.SortFlags = false
	set.Float64Var(&o.threshold, "threshold", 0.1, "relative `change`, or difference in the share of tasks, above which worse is a regression")
	set.BoolVar(&o.all, "all", false, "show the figures that do not differ, too")
	set.BoolVar(&o.json, "json", false, "write JSON")
	return set
}

// newCompareCommand returns the command compare.
func newCompareCommand(s streams) *cobra.Command {
	var o compareOptions
	return subcommand{
		use: "compare before.json after.json ...", short: "Compare results, and fail on a regression",
		lead: compareLead, tail: compareTail, valid: compareValid,
		args: takesFiles, complete: completeJSON,
		flags: []flagGroup{{"Flags", o.flags()}},
		run: func(args []string, _ map[string]string) (err error) {
			*s.code, err = o.run(args, s.stdout)
			return err
		},
	}.command()
}

// A comparison is that of the first file with another, as JSON.
type comparison struct {
	Before   string          `json:"before"`
	After    string          `json:"after"`
	Cautions []string        `json:"cautions"`
	Missing  []string        `json:"missing"`
	Deltas   []compare.Delta `json:"deltas"`
}

func (o *compareOptions) run(paths []string, stdout *os.File) (int, error) {
	if !(0 <= o.threshold && o.threshold <= 10) {
		return 0, usageError("--threshold is %v; valid: %s", o.threshold, compareValid["threshold"])
	}
	if len(paths) < 2 {
		return 0, usageError("compare takes two files or more, written with --json, and got %d", len(paths))
	}
	var documents []*report.Document
	for _, path := range paths {
		f, err := page.Read(path)
		switch {
		case err != nil:
			return 0, usageError("%w", err)
		case f.Runs == nil || len(f.Runs.Runs) == 0:
			return 0, usageError("%s: compare takes results of runs, and there are none in it", path)
		}
		documents = append(documents, f.Runs)
	}
	code := exitOK
	var all []comparison
	for i, d := range documents[1:] {
		c := comparison{Before: paths[0], After: paths[i+1], Cautions: compare.Cautions(documents[0], d)}
		c.Deltas, c.Missing = compare.Documents(documents[0], d, o.threshold)
		if len(c.Deltas) == 0 {
			return 0, usageError("%s and %s have no experiment in common that ran to its end", c.Before, c.After)
		}
		for _, d := range c.Deltas {
			if d.Regression {
				code = exitThreshold
			}
		}
		all = append(all, c)
	}
	out := &output{w: stdout}
	if o.json {
		text, err := json.MarshalIndent(map[string]any{"schema": report.Schema, "kind": "comparison", "threshold": o.threshold, "comparisons": all}, "", "  ")
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(out, "%s\n", text)
	} else {
		for _, c := range all {
			o.show(out, report.StyleOf(stdout), c)
		}
	}
	if lost := out.lost(); lost != nil {
		return exitInternal, errors.Join(lost)
	}
	return code, nil
}

func (o *compareOptions) show(w io.Writer, s report.Style, c comparison) {
	fmt.Fprintf(w, "%s, then %s\n\n", c.Before, c.After)
	for _, text := range append(c.Cautions, c.Missing...) {
		fmt.Fprintln(w, "  "+s.Dim(text))
	}
	if len(c.Cautions)+len(c.Missing) > 0 {
		fmt.Fprintln(w)
	}
	compare.Table(w, s, c.Deltas, o.all)
}
