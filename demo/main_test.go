package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// envCommand makes the test binary the command itself, so that the tests see
// what a user does: two streams and an exit status.
const envCommand = "TIDEGATE_DEMO_TEST_COMMAND"

func TestMain(m *testing.M) {
	origin.Main()
	if os.Getenv(envCommand) != "" {
		main()
	}
	// A process built with -race sleeps for a second when it exits, and every
	// test here starts one.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	// The last run is kept in the user's cache, and these are not the user's.
	cache, err := os.MkdirTemp("", "tidegate-demo-test")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		if err := os.Setenv(name, cache); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(cache)
		os.Exit(code)
	}))
}

// command returns the demo as a process that has not been started.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, args...)
	c.Env = append(os.Environ(), envCommand+"=1")
	return c
}

// demo runs the command to its end.
func demo(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := command(t, args...)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	return out.String(), errOut.String(), exitCode(t, err)
}

// exitCode is the exit status behind the error of a command.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// readDocument reads a JSON file and checks what holds in all of them.
func readDocument(t *testing.T, path string) report.Document {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	return parseDocument(t, text)
}

func parseDocument(t *testing.T, text []byte) report.Document {
	t.Helper()
	var d report.Document
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if d.Schema != report.Schema {
		t.Errorf("schema %d, want %d", d.Schema, report.Schema)
	}
	for _, r := range d.Runs {
		if r.Counts.Sum() != r.N {
			t.Errorf("%s, %d tasks, %s: the counts add up to %d: %+v", r.Experiment, r.N, r.Policy, r.Counts.Sum(), r.Counts)
		}
		if r.GoroutinesLeft != 0 {
			t.Errorf("%s, %d tasks, %s left %d goroutines", r.Experiment, r.N, r.Policy, r.GoroutinesLeft)
		}
		if r.FloorSeconds <= 0 || r.WallSeconds <= 0 {
			t.Errorf("%s, %d tasks, %s: wall %v s, floor %v s", r.Experiment, r.N, r.Policy, r.WallSeconds, r.FloorSeconds)
		}
	}
	return d
}
