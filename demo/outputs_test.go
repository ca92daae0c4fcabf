package main

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/report"
)

func TestAFileThatCouldNotBeWrittenIsNotNamedAsThere(t *testing.T) {
	full := errors.New("no space left on device")
	var outs outputs
	for _, name := range []string{"whole.json", "lost.html"} {
		f := &outFile{flag: strings.TrimPrefix(filepath.Ext(name), "."), path: filepath.Join(t.TempDir(), name)}
		if f.flag == "html" {
			f.flag = "report"
		}
		f.write = func(w io.Writer, _ *report.Document) error {
			if f.flag == "report" {
				return full
			}
			return nil
		}
		var err error
		if f.file, err = report.Create(t.Context(), f.path, nil); err != nil {
			t.Fatal(err)
		}
		outs.files = append(outs.files, f)
	}
	if err := outs.write(&report.Document{}); !errors.Is(err, full) {
		t.Errorf("%v, want %v", err, full)
	}
	var said bytes.Buffer
	s := &session{out: &output{w: &said}, document: &report.Document{}}
	s.say(t.Context(), &outs)
	if text := said.String(); strings.Contains(text, "lost.html") || !strings.Contains(text, "whole.json") {
		t.Errorf("of a report that was lost: %q", text)
	}
}
