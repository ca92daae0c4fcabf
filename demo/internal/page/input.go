package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// Input is what a report is made from.
type Input struct {
	Files []File
}

// A File is the JSON of one command. What it does not hold is nil.
type File struct {
	Name        string // for people
	Runs        *report.Document
	Sweeps      []*Sweep
	Sleep       *SleepSweep
	Environment map[string]any // all of it, also what this version does not know
}

// ErrNotOurs is wrapped by the errors of Read about files that hold something
// other than results of the harness.
var ErrNotOurs = errors.New("not results of the harness")

// Read reads the JSON of a file.
func Read(path string) (File, error) {
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return File{}, err
	}
	f, err := Parse(text)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	f.Name = filepath.Base(path)
	return f, nil
}

// Parse reads JSON.
func Parse(text []byte) (File, error) {
	var head struct {
		Schema      int            `json:"schema"`
		Kind        string         `json:"kind"`
		Environment map[string]any `json:"environment"`
		Sweep       *Sweep         `json:"sweep"`
		Probe       *Sweep         `json:"probe"`
		Sleep       *SleepSweep    `json:"sleep_sweep"`

		Runs json.RawMessage `json:"runs"`
	}
	// Not the decoder's own words for what is no object: they spell out our type.
	if first := bytes.TrimSpace(text); json.Valid(text) && first[0] != '{' {
		return File{}, fmt.Errorf("%w: it holds no object", ErrNotOurs)
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	f := File{Environment: head.Environment, Sleep: head.Sleep}
	if head.Sweep != nil {
		head.Sweep.Kind = kindSweep
		f.Sweeps = append(f.Sweeps, head.Sweep)
	}
	if head.Probe != nil {
		head.Probe.Kind = kindProbe
		f.Sweeps = append(f.Sweeps, head.Probe)
	}
	switch {
	case head.Schema != report.Schema:
		return File{}, fmt.Errorf("%w that this version can read: schema is %d, want %d", ErrNotOurs, head.Schema, report.Schema)
	case head.Kind == report.KindRun, head.Kind == "" && head.Runs != nil: // the first files had no kind
		f.Runs = new(report.Document)
		if err := json.Unmarshal(text, f.Runs); err != nil {
			return File{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
		}
		f.Runs.Runs = slices.DeleteFunc(f.Runs.Runs, invalid)
	case len(f.Sweeps) > 0 || f.Sleep != nil:
	case head.Kind == kindSweep || head.Kind == kindProbe: // on its own, and not in a document
		s := new(Sweep)
		if err := json.Unmarshal(text, s); err != nil {
			return File{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
		}
		f.Sweeps = append(f.Sweeps, s)
	default: // such as that of scenarios, of which the page would show nothing
		return File{}, fmt.Errorf("%w that a report can show: kind is %q, valid are %s, %s and %s", ErrNotOurs, head.Kind, report.KindRun, kindSweep, kindProbe)
	}
	return f, nil
}

// FromDocument makes a File of results that are still in memory.
func FromDocument(d *report.Document) (File, error) {
	text, err := json.Marshal(d.Environment)
	if err != nil {
		return File{}, err
	}
	f := File{Runs: d}
	return f, json.Unmarshal(text, &f.Environment)
}
