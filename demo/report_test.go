package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// quick is a run that takes no time to speak of.
var quick = []string{"--experiments", "uneven", "--n", "6", "--policies", "unbounded,batch,fixed"}

func TestTheLastLineNamesTheReport(t *testing.T) {
	cache := t.TempDir()
	c := command(t, quick...)
	c.Env = append(c.Env, "XDG_CACHE_HOME="+cache, "HOME="+cache, "LocalAppData="+cache)
	c.Dir = t.TempDir()
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	path, ok := strings.CutPrefix(lines[len(lines)-1], "Report: ")
	if !ok || !strings.HasPrefix(path, cache) {
		t.Fatalf("the last line is %q", lines[len(lines)-1])
	}
	if text, err := os.ReadFile(filepath.Clean(path)); err != nil || !strings.Contains(string(text), "Uneven tasks") {
		t.Errorf("no report in %s: %v", path, err)
	}
	if here, err := os.ReadDir(c.Dir); err != nil || len(here) > 0 {
		t.Errorf("%d files in the working folder, where nobody has asked for any", len(here))
	}

	// And it can be made again from what is kept beside it.
	again := command(t, "report", "-o", "-")
	again.Env = c.Env
	html, err := again.Output()
	if err != nil || !strings.Contains(string(html), "Uneven tasks") {
		t.Errorf("again: %v", err)
	}
}

func TestFilesAreWrittenWhereAskedAndNowhereElse(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	cache := t.TempDir()
	c := command(t, append(quick, "--runs", "2", "--json", at("r.json"), "--csv", at("r.csv"), "--md", at("r.md"), "--report", at("r.html"))...)
	c.Env = append(c.Env, "XDG_CACHE_HOME="+cache, "HOME="+cache, "LocalAppData="+cache)
	if out, err := c.Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if kept, _ := os.ReadDir(cache); len(kept) > 0 {
		t.Error("something in the cache, although --report names another place")
	}
	f, err := os.Open(at("r.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines, err := csv.NewReader(f).ReadAll() // which also wants all lines as long as the head
	if err != nil || len(lines) != 1+3*2 || lines[0][0] != "experiment" {
		t.Errorf("%d lines of CSV (%v), want a head and six runs", len(lines), err)
	}
	md, err := os.ReadFile(at("r.md"))
	if err != nil || !strings.Contains(string(md), "| policy |") {
		t.Errorf("%v: %s", err, md)
	}
	for _, out := range []string{"html", "csv", "md"} {
		flag := map[string]string{"html": "--output", "csv": "--csv", "md": "--md"}[out]
		stdout, stderr, code := demo(t, "report", at("r.json"), flag, "-")
		direct, err := os.ReadFile(at("r." + out))
		if code != 0 || err != nil {
			t.Fatalf("%s: %d, %v: %s", out, code, err, stderr)
		}
		if out != "html" && stdout != string(direct) || len(stdout) != len(direct)+strings.Count(stdout, "<h3>")*len("<h3>r.json</h3>") {
			t.Errorf("the %s made again is not the one of the run: %d bytes, then %d", out, len(direct), len(stdout))
		}
	}
}

func TestCompareFailsOnARegressionOnly(t *testing.T) {
	dir := t.TempDir()
	before, after := filepath.Join(dir, "before.json"), filepath.Join(dir, "after.json")
	run := func(path, service string) {
		t.Helper()
		_, stderr, code := demo(t, "--experiments", "http", "--n", "8", "--policies", "fixed", "--limit", "1", "--runs", "6",
			"--service", service, "--json", path, "--report", "none")
		if code != 0 {
			t.Fatal(stderr)
		}
	}
	run(before, "2ms")
	run(after, "20ms")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{before, after}, 3, "worse"},
		{[]string{after, before}, 0, "better"},
		{[]string{before, before}, 0, "0 of 3 figures differ"},
		{[]string{before, after, "--json"}, 3, `"regression": true`},
		{[]string{before}, 2, ""},
		{[]string{before, filepath.Join(dir, "none.json")}, 2, ""},
		{[]string{before, after, "--threshold", "NaN"}, 2, ""},
	} {
		stdout, stderr, code := demo(t, append([]string{"compare"}, tt.args...)...)
		if code != tt.code || !strings.Contains(stdout, tt.want) {
			t.Errorf("%v: status %d, want %d: %s%s", tt.args, code, tt.code, stdout, stderr)
		}
	}
}

func TestCommandsSayWhatIsWrong(t *testing.T) {
	notOurs := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(notOurs, []byte(`{"schema":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{"report " + notOurs, "schema is 9, want 1"},
		{"report /none/such.json", "no such file"},
		{"report --bogus", "valid are --csv"},
		{"compare --threshold x a b", "valid: a number"},
		{"selfcheck --runs 0", "from 1 to 100"},
		{"selfcheck now", "takes flags only"},
		{"--csv - --md -", "only one can go to standard output"},
		{"--report -", "valid: the name of a file"},
		{"--experiments postgres --asyncio", "leaves out"},
	} {
		stdout, stderr, code := demo(t, strings.Fields(tt.args)...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q, %q", tt.args, code, stdout, stderr)
		}
	}
}

func TestShellsCompleteTheLastNameOfAList(t *testing.T) {
	stdout, _, code := demo(t, "__complete", "--policies", "unbounded,f")
	if code != 0 || !strings.HasPrefix(stdout, "unbounded,fixed\n") {
		t.Errorf("status %d: %s", code, stdout)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if stdout, stderr, code := demo(t, "completion", shell); code != 0 || len(stdout) < 1000 {
			t.Errorf("%s: status %d, %s", shell, code, stderr)
		}
	}
}
