package main

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

func TestEveryExperimentRunsUnderEveryPolicy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	const n = 23 // no multiple of five
	stdout, stderr, code := demo(t, "--n", strconv.Itoa(n), "--stand-in", "--hold", "10ms", "--limit", "7", "--rate", "200",
		"--policies", "unbounded,batch,fixed,rate,adaptive,aimd,vegas,gradient2,gradient,pool", "--json", path)
	if code != 0 {
		t.Fatalf("status %d: %s", code, stderr)
	}
	d := readDocument(t, path)
	if d.Interrupted || d.Error != "" || len(d.Runs) != 9+9+9+10 {
		t.Errorf("%d runs, interrupted %v, error %q", len(d.Runs), d.Interrupted, d.Error)
	}
	for _, r := range d.Runs {
		if r.Counts.Succeeded != n {
			t.Errorf("%s, %s: %+v, want all succeeded", r.Experiment, r.Policy, r.Counts)
		}
		if r.StandIn != (r.Experiment == "postgres") {
			t.Errorf("%s, %s: stand-in %v", r.Experiment, r.Policy, r.StandIn)
		}
	}
	for _, want := range []string{"sleep, 23 tasks", "uneven, 23 tasks", "http, 23 tasks", "postgres, 23 tasks", "stand-in: no real PostgreSQL", "pool of 7", "Next:"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout+stderr, "\x1b") || strings.Contains(stdout+stderr, "\r") {
		t.Error("escape codes where there is no terminal")
	}
	if !strings.Contains(stderr, "[37/37] postgres (stand-in) 23") {
		t.Errorf("progress does not label the stand-in:\n%s", stderr)
	}
}

func TestRepeatsAreSummedUp(t *testing.T) {
	stdout, stderr, code := demo(t, "--experiments", "sleep", "--n", "5", "--policies", "unbounded", "--runs", "2", "--json", "-")
	if code != 0 {
		t.Fatalf("status %d: %s", code, stderr)
	}
	d := parseDocument(t, []byte(stdout)) // nothing but JSON is on standard output
	if len(d.Runs) != 2 || d.Runs[1].Run != 2 {
		t.Errorf("%+v, want two runs", d.Runs)
	}
	if !strings.Contains(stderr, "0.30 (0.30–0.3") {
		t.Errorf("no median with least and greatest in\n%s", stderr)
	}
}

func TestTheSecretOfTheDSNIsNotRecorded(t *testing.T) {
	o := options{given: map[string]string{"dsn": "postgres://me:secret@host/db", "runs": "2"}}
	for name, value := range o.recorded() {
		if strings.Contains(value, "secret") {
			t.Errorf("--%s is recorded as %s", name, value)
		}
	}
}

// seedThatBegins returns a seed with which a policy has the first turn.
func seedThatBegins(t *testing.T, policy string, policies []string, n int) string {
	t.Helper()
	w := experiment.NewSleep(0, 0)
	for seed := range uint64(100) {
		if experiment.Order(w, n, experiment.Policies(w, policies, n, experiment.Choices{}), seed, 1)[0].Name == policy {
			return strconv.FormatUint(seed, 10)
		}
	}
	t.Fatalf("no seed lets %s begin", policy)
	return ""
}

func TestInterruptKeepsWhatIsDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	const n = 1000
	seed := seedThatBegins(t, "unbounded", []string{"unbounded", "batch"}, n)
	// Batches of one task would take 300 s.
	c := command(t, "--experiments", "sleep", "--n", strconv.Itoa(n), "--policies", "unbounded,batch", "--batch", "1",
		"--seed", seed, "--json", path)
	var stdout bytes.Buffer
	c.Stdout = &stdout
	pipe, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		stderr.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "[1/2]") { // the first run is done
			if err := c.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code := exitCode(t, c.Wait()); code != 130 {
		t.Errorf("status %d, want 130: %s", code, stderr.String())
	}
	d := readDocument(t, path) // also checks that the counts add up
	if !d.Interrupted || len(d.Runs) == 0 {
		t.Fatalf("interrupted %v with %d runs", d.Interrupted, len(d.Runs))
	}
	if first := d.Runs[0]; first.Counts.Succeeded != n || first.Interrupted {
		t.Errorf("the run that was done: %+v", first.Counts)
	}
	for _, r := range d.Runs[1:] {
		if r.Counts.Cancelled == 0 || !r.Interrupted {
			t.Errorf("the run that was cut: %+v, interrupted %v", r.Counts, r.Interrupted)
		}
	}
	for _, want := range []string{"unbounded", "interrupted"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is missing in\n%s", want, stdout.String())
		}
	}
}
