package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/report"
)

func TestResultsThatAreLostAreNoSuccess(t *testing.T) {
	for _, args := range []string{"--experiments sleep --n 5 --policies unbounded", "--help", "--version"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		c := command(t, strings.Fields(args)...)
		var stderr bytes.Buffer
		c.Stdout, c.Stderr = full, &stderr
		code := exitCode(t, c.Run())
		_ = full.Close()
		if code != exitInternal || !strings.Contains(stderr.String(), "demo: writing the results: ") {
			t.Errorf("%s: status %d and %q, want %d and why the results are lost", args, code, stderr.String(), exitInternal)
		}
	}
}

func TestAnInterruptedRunThatIsLostIsNotAbove(t *testing.T) {
	s := &session{out: &output{err: os.ErrClosed}, document: &report.Document{Interrupted: true}}
	var stderr bytes.Buffer
	if code := s.end(nil, 1<<20, &stderr); code != exitInternal || strings.Contains(stderr.String(), "above") {
		t.Errorf("status %d and %q", code, stderr.String())
	}
}
