package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// Schema is the version of the JSON. It grows when a field goes away or changes
// its meaning; new fields do not count.
const Schema = 1

// A Document is the whole output of the harness.
type Document struct {
	Schema      int                    `json:"schema"`
	Environment experiment.Environment `json:"environment"`
	Runs        []*experiment.Run      `json:"runs"`
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
	for i, r := range d.Runs {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(line)
	}
	b.WriteByte(']')
	b.Write(after)
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

// A File is where a Document will be written. It exists from before the runs,
// so that a path that cannot be written is known before anybody has waited,
// and what was there keeps its content until the new one is complete.
type File struct {
	path string
	temp *os.File
}

// Create prepares to write to path.
func Create(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory; give the name of a file", path)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		var cause *os.PathError
		if errors.As(err, &cause) {
			err = cause.Err // without the name of the temporary file, which nobody has given
		}
		return nil, fmt.Errorf("cannot write to %s: %w", path, err)
	}
	return &File{path, temp}, nil
}

// Commit writes d and puts it in its place.
func (f *File) Commit(d *Document) error {
	err := d.Write(f.temp)
	if err == nil {
		err = f.temp.Chmod(0o644) // temporary files are for their owner alone
	}
	if closeErr := f.temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.temp.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(f.temp.Name())
	}
	return err
}

// Discard gives up. The file that was there is as it was.
func (f *File) Discard() {
	_ = f.temp.Close()
	_ = os.Remove(f.temp.Name())
}
