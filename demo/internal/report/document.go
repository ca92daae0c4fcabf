package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/probe"
	"github.com/tidegate-go/tidegate/demo/internal/sleepsweep"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

// Schema is the version of the JSON. It grows when a field goes away or changes
// its meaning; new fields do not count.
const Schema = 1

// KindRun is the kind of a Document, as against those of sweeps and others.
const KindRun = "run"

// A Document is the whole output of the harness.
type Document struct {
	Schema      int                    `json:"schema"`
	Kind        string                 `json:"kind"` // KindRun
	Environment experiment.Environment `json:"environment"`
	Runs        []*experiment.Run      `json:"runs"`
	Sweep       *sweep.Result          `json:"sweep,omitempty"`
	SleepSweep  *sleepsweep.Result     `json:"sleep_sweep,omitempty"`
	Probe       *probe.Result          `json:"probe,omitempty"`
	Interrupted bool                   `json:"interrupted"`
	Error       string                 `json:"error,omitempty"` // why runs are missing
}

// Write writes d as JSON with one run to a line: readable by programs, and by
// grep. Everything on lines of its own would be mostly timelines.
func (d *Document) Write(w io.Writer) error {
	head := *d
	head.Runs = []*experiment.Run{} // a list and not null, for those who read it
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	before, after, _ := bytes.Cut(text, []byte(`"runs":[]`))
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(`"runs":[`)
	if err := writeLines(&b, d.Runs); err != nil {
		return err
	}
	b.WriteByte(']')
	b.Write(after)
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

// writeHeaded writes a document whose last field is a list, empty in head, with one
// element to a line.
func writeHeaded[T any](w io.Writer, head any, elements []T) error {
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(bytes.TrimSuffix(text, []byte("]}")))
	if err := writeLines(&b, elements); err != nil {
		return err
	}
	b.WriteString("]}\n")
	_, err = w.Write(b.Bytes())
	return err
}

// writeLines writes elements of a JSON array, each on a line of its own.
func writeLines[T any](b *bytes.Buffer, elements []T) error {
	for i, e := range elements {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(line)
	}
	return nil
}
