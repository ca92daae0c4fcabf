package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/page"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// reportOptions are what the flags of the command report say.
type reportOptions struct{ html, csv, md string }

// reportValid says for each flag what it takes.
var reportValid = map[string]string{
	"output": "the name of a file that can be written, or - for standard output",
	"csv":    "the name of a file that can be written, or - for standard output",
	"md":     "the name of a file that can be written, or - for standard output",
}

const reportLead = `Make the report from JSON that the harness has written: of runs, of sweeps, or of
both together. It is one HTML file that needs nothing else, light or dark, on a
screen, a phone or paper.

Examples:
  go run ./demo report                            of the last run, beside its results
  go run ./demo report results.json               writes tidegate-report.html here
  go run ./demo report results.json sweep.json -o both.html
  go run ./demo report results.json --md -        tables for a pull request
  go run ./demo report results.json --csv runs.csv
`

const reportTail = `
Exit status: 0 done, 1 internal error, 2 wrong flag or file. "go run" turns all
but 0 into 1.
`

const defaultReport = "tidegate-report.html"

func (o *reportOptions) flags() *pflag.FlagSet {
	set := pflag.NewFlagSet("report", pflag.ContinueOnError)
	set.SortFlags = false
	set.StringVarP(&o.html, "output", "o", "", "`file` for the report, or - for standard output (default "+defaultReport+", unless --csv or --md is given)")
	set.StringVar(&o.csv, "csv", "", "`file` for a line of figures for each run, or - for standard output")
	set.StringVar(&o.md, "md", "", "`file` for the tables as Markdown, or - for standard output")
	return set
}

// newReportCommand returns the command report.
func newReportCommand(s streams) *cobra.Command {
	var o reportOptions
	return subcommand{
		use: "report [file.json ...]", short: "Make the HTML report, CSV or Markdown from JSON",
		lead: reportLead, tail: reportTail, valid: reportValid,
		args: takesFiles, complete: completeJSON,
		flags: []flagGroup{{"Flags", o.flags()}},
		run: func(args []string, _ map[string]string) error {
			return o.run(s.ctx, args, s.stdout, s.stderr)
		},
	}.command()
}

func (o *reportOptions) run(ctx context.Context, paths []string, stdout, stderr *os.File) error {
	if len(paths) == 0 {
		last := newPlaces().json
		if _, err := os.Stat(last); err != nil {
			return usageError("there are no results of a last run; give the name of a file that --json has written")
		}
		paths = []string{last}
	}
	if o.html == "-" && o.csv == "-" || o.html == "-" && o.md == "-" || o.csv == "-" && o.md == "-" {
		return usageError("of --output, --csv and --md only one can go to standard output")
	}
	var in page.Input
	for _, path := range paths {
		f, err := page.Read(path)
		if err != nil {
			return usageError("%w", err)
		}
		in.Files = append(in.Files, f)
	}
	if o.html == "" && o.csv == "" && o.md == "" {
		o.html = defaultReport
	}
	for _, out := range []struct {
		flag, path string
		write      func(io.Writer) error
	}{
		{"output", o.html, func(w io.Writer) error { return page.Write(w, in) }},
		{"csv", o.csv, func(w io.Writer) error { return report.CSV(w, documents(in)) }},
		{"md", o.md, func(w io.Writer) error { return report.Markdown(w, documents(in)) }},
	} {
		if out.path == "" {
			continue
		}
		if err := writeOut(ctx, out.flag, out.path, stdout, out.write); err != nil {
			return err
		}
		if out.path != "-" {
			fmt.Fprintln(stderr, "wrote "+out.path)
		}
	}
	return nil
}

// documents are the runs of all files.
func documents(in page.Input) (all []*report.Document) {
	for _, f := range in.Files {
		if f.Runs != nil {
			all = append(all, f.Runs)
		}
	}
	return all
}

// writeOut writes to a file, or to standard output for "-". What was in the file
// stays until the new content is complete.
func writeOut(ctx context.Context, flag, path string, stdout *os.File, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if path == "-" {
		out := &output{w: stdout}
		_, _ = out.Write(b.Bytes()) // lost has the error
		return out.lost()
	}
	file, err := report.Create(ctx, path, stdout)
	if err != nil {
		if ctx.Err() != nil {
			return &failure{exitInterrupted, errors.New("interrupted")}
		}
		return usageError("--%s: %w", flag, err)
	}
	return file.CommitText(b.Bytes())
}
