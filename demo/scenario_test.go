package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/report"
)

func TestScenarioFlagsSayWhatIsValid(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // in the one line on standard error
	}{
		{"--bogus", "valid are --help, --json"},
		{"steady", "--scenario steady"},
		{"--scenario nosuch", "--list shows the names"},
		{"--scenario [", "syntax error"},
		{"--policy nosuch", "valid are oracle, fixed, adaptive, told, aimd"},
		{"--policy fixed-0", "from 1 to 1000000"},
		{"--policy=", "--list shows them"},
		{"--policy aimd,aimd", "given twice"},
		{"--seeds 0", "from 1 to 1000"},
		{"--seeds x", "from 1 to 1000"},
		{"--seed -1", "from 0 to"},
		{"--random -1", "from 0 to 10000"},
		{"--shared", "needs a value"},
		{"--worst -1", "from 0 to 10000"},
		{"--json /none/such/x.json --scenario steady", "/none/such/x.json"},
		{"--live --scenario nosuch", "there are step, netshift"},
		{"--live --random 3", "cannot play drawn worlds"},
		{"--live --seeds 3", "has no seeds"},
		{"--live --phase 1ms", "from 1s to 10m"},
		{"--live --timeout 1h", "from 10ms to 1m"},
		{"--phase x", "from 1s to 10m"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := demo(t, append([]string{"scenario"}, strings.Fields(tt.args)...)...)
			if code != 2 || stdout != "" {
				t.Errorf("status %d and %q on standard output, want 2 and nothing", code, stdout)
			}
			if !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%q, want one line with %q", stderr, tt.want)
			}
		})
	}
}

func TestScenarioHelpLeavesFlagsOut(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := demo(t, "scenario", "--help")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "Examples:") {
		t.Errorf("status %d, %q", code, stderr)
	}
	for name := range scenarioValid {
		if name != "help" && !strings.Contains(stdout, "--"+name+" ") {
			t.Errorf("--%s is not there", name)
		}
	}
	list, _, code := demo(t, "scenario", "--list")
	for _, want := range []string{"steady", "k20to5", "drift-bimodal", "adaptive", "group anchors"} {
		if code != 0 || !strings.Contains(list, want) {
			t.Errorf("status %d, %q is not listed", code, want)
		}
	}
}

// The same flags must give the same bytes, tables and JSON, and the JSON what
// the tables have.
func TestScenarioOutputDependsOnMoreThanTheSeed(t *testing.T) {
	t.Parallel()
	var tables, texts [2]string
	for i := range tables {
		path := filepath.Join(t.TempDir(), "x.json")
		stdout, stderr, code := demo(t, "scenario", "--scenario", "quota429,k1", "--random", "1", "--seed", "7", "--policy", "fixed-20,adaptive", "--json", path)
		if code != 0 || stderr != "" {
			t.Fatalf("status %d, %q", code, stderr)
		}
		text, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			t.Fatal(err)
		}
		tables[i], texts[i] = stdout, string(text)
	}
	if tables[0] != tables[1] || texts[0] != texts[1] {
		t.Error("two runs differ")
	}
	var d report.ScenarioDocument
	if err := json.Unmarshal([]byte(texts[0]), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Results) != 6 || len(d.Summaries) == 0 || len(d.Verdicts) == 0 || d.Interrupted {
		t.Errorf("%d results, %d summaries, %d verdicts", len(d.Results), len(d.Summaries), len(d.Verdicts))
	}
	for _, want := range []string{"quota429", "k1", "random-7-0/after", "fixed-20", "K = 1"} {
		if !strings.Contains(tables[0], want) {
			t.Errorf("%q is not in\n%s", want, tables[0])
		}
	}
	stdout, stderr, code := demo(t, "scenario", "--scenario", "quota429", "--policy", "fixed-20", "--json", "-")
	if code != 0 || !strings.HasPrefix(stdout, "{") || !strings.Contains(stderr, "Summary") {
		t.Errorf("status %d, JSON %q, tables %q", code, stdout, stderr)
	}
}

func TestLiveScenarioTellsNothingToPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("plays for six seconds")
	}
	t.Parallel()
	stdout, stderr, code := demo(t, "scenario", "--live", "--scenario", "step", "--phase", "1s", "--policy", "fixed", "--json", "-")
	var d report.LiveDocument
	if err := json.Unmarshal([]byte(stdout), &d); code != 0 || err != nil {
		t.Fatalf("status %d, %v, %q", code, err, stderr)
	}
	if len(d.Results) != 6 || d.Interrupted || d.Results[1].Best != 4 || d.Results[0].OK == 0 {
		t.Errorf("%+v", d)
	}
	if !strings.Contains(stderr, "step/back") {
		t.Errorf("the table is not on standard error: %q", stderr)
	}
}
