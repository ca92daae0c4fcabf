package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tidegate-go/tidegate/demo/internal/page"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// noReport is the value of --report for none at all.
const noReport = "none"

// An outFile is a file that a run of the experiments leaves behind.
type outFile struct {
	flag, path string
	file       *report.File // nil for standard output
	write      func(io.Writer, *report.Document) error
	lost       bool // writing it has failed
}

// outputs are all files that the flags ask for. They are opened before the first
// run, so that nobody waits a minute for what cannot be written.
type outputs struct {
	stdout *os.File
	files  []*outFile
	last   bool // the last run is to be kept in the user's cache
}

func writeJSON(w io.Writer, d *report.Document) error { return d.Write(w) }

func writeCSV(w io.Writer, d *report.Document) error { return report.CSV(w, []*report.Document{d}) }

func writeMarkdown(w io.Writer, d *report.Document) error {
	return report.Markdown(w, []*report.Document{d})
}

func writeReport(w io.Writer, d *report.Document) error {
	f, err := page.FromDocument(d)
	if err != nil {
		return err
	}
	return page.Write(w, page.Input{Files: []page.File{f}})
}

// openOutputs prepares the files of o. It fails with the name of the flag.
func openOutputs(ctx context.Context, o options, stdout *os.File) (*outputs, error) {
	outs := &outputs{stdout: stdout, last: o.report == ""}
	for _, f := range []*outFile{
		{flag: "json", path: o.json, write: writeJSON},
		{flag: "csv", path: o.csv, write: writeCSV},
		{flag: "md", path: o.md, write: writeMarkdown},
		{flag: "report", path: o.report, write: writeReport},
	} {
		if f.path == "" || f.flag == "report" && f.path == noReport {
			continue
		}
		if f.path != "-" {
			var err error
			if f.file, err = report.Create(ctx, f.path, stdout); err != nil {
				outs.discard()
				if ctx.Err() != nil {
					return nil, errEarly
				}
				return nil, usageError("--%s: %w; valid: %s", f.flag, err, valid[f.flag])
			}
		}
		outs.files = append(outs.files, f)
	}
	return outs, nil
}

// discard leaves all files as they were.
func (o *outputs) discard() {
	for _, f := range o.files {
		if f.file != nil {
			f.file.Discard()
		}
	}
}

// write writes d to all files.
func (o *outputs) write(d *report.Document) (err error) {
	for _, f := range o.files {
		if oneErr := f.commit(d, o.stdout); oneErr != nil {
			f.lost = true
			err = errors.Join(err, fmt.Errorf("writing --%s: %w", f.flag, oneErr))
		}
	}
	return err
}

func (f *outFile) commit(d *report.Document, stdout *os.File) error {
	var text bytes.Buffer
	if err := f.write(&text, d); err != nil {
		if f.file != nil {
			f.file.Discard()
		}
		return err
	}
	if f.file != nil {
		return f.file.CommitText(text.Bytes())
	}
	_, err := stdout.Write(text.Bytes())
	return err
}

// keep keeps d as the last run in the user's cache, with its report. Nobody has
// asked for that, so it may fail without the run having failed.
func (o *outputs) keep(ctx context.Context, d *report.Document) (reportPath string, err error) {
	p := newPlaces()
	if err := p.make(); err != nil {
		return "", err
	}
	for _, f := range []*outFile{{path: p.json, write: writeJSON}, {path: p.report, write: writeReport}} {
		// Ctrl-C has ended ctx by now, if it was that; what is done is kept.
		if f.file, err = report.Create(context.WithoutCancel(ctx), f.path, o.stdout); err != nil {
			return "", err
		}
		if err := f.commit(d, o.stdout); err != nil {
			return "", err
		}
	}
	return p.report, nil
}

// say says where what is, in the last lines of the output.
func (s *session) say(ctx context.Context, outs *outputs) {
	for _, f := range outs.files {
		if f.file != nil && !f.lost {
			fmt.Fprintf(s.out, "%s %s\n", map[string]string{
				"json": "All figures and timelines:", "csv": "A line for each run:", "md": "The tables:", "report": "Report:",
			}[f.flag], f.path)
		}
	}
	if !outs.last || len(s.document.Runs) == 0 {
		return
	}
	path, err := outs.keep(ctx, s.document)
	if err != nil {
		fmt.Fprintf(s.out, "No report: %v. --report names another place.\n", err)
		return
	}
	fmt.Fprintf(s.out, "Report: %s\n", path)
}
