package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// subcommands are all of them.
func subcommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newSweep(s), newProbe(s), newServe(s), newDoctor(s),
		newScenarioCommand(s), newReportCommand(s), newCompareCommand(s), newSelfcheckCommand(s), newPictures(s),
	}
}

// streams is what every command gets.
type streams struct {
	ctx            context.Context
	stdout, stderr *os.File
	code           *int // the exit status of a command that has run
}

// A writing is the output of one command: tables on standard output, or on
// standard error if the JSON is to go there.
type writing struct {
	streams
	json  string
	file  *report.File
	out   *output
	style report.Style
	doc   *report.Document
}

// begin opens what the results go to, before anything is measured.
func (s streams) begin(json string, seed uint64, runs int, given map[string]string) (*writing, error) {
	w := &writing{streams: s, json: json, doc: &report.Document{Schema: report.Schema, Environment: experiment.ReadEnvironment()}}
	e := &w.doc.Environment
	e.Seed, e.Runs = seed, runs
	for name, value := range given {
		if name == "header" {
			value = "(not recorded)" // it may hold a secret
		}
		e.Flags[name] = value
	}
	tables := s.stdout
	switch json {
	case "":
	case "-":
		tables = s.stderr
	default:
		var err error
		if w.file, err = report.Create(s.ctx, json, s.stdout); err != nil {
			if s.ctx.Err() != nil {
				return nil, errEarly
			}
			return nil, usageError("--json: %w; valid: %s", err, validJSON)
		}
	}
	w.out, w.style = &output{w: tables}, report.StyleOf(tables)
	return w, nil
}

const validJSON = "the name of a file that can be written, or - for standard output"

// discard gives up before anything has been measured.
func (w *writing) discard() {
	if w.file != nil {
		w.file.Discard()
	}
}

// end saves the JSON, says what went wrong and sets the exit status.
func (w *writing) end(err error, status int) {
	if err != nil {
		w.doc.Error = err.Error()
	}
	w.doc.Interrupted = w.ctx.Err() != nil
	var saving error
	switch {
	case w.file != nil:
		saving = w.file.Commit(w.doc)
	case w.json == "-":
		saving = w.doc.Write(w.stdout)
	}
	if saving == nil {
		saving = w.out.lost()
	} else {
		saving = fmt.Errorf("writing the JSON: %w", saving)
	}
	if err != nil {
		fmt.Fprintln(w.stderr, "demo: "+err.Error())
	}
	switch {
	case saving != nil:
		fmt.Fprintln(w.stderr, "demo: "+saving.Error())
		status = exitInternal
	case w.doc.Interrupted:
		fmt.Fprintln(w.stderr, "demo: interrupted; what was measured is above")
		status = exitInterrupted
	}
	*w.code = status
}
