package docs_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A shortForm says how a command of the documents is run here. Flags of set are
// given whether the document gives them or not; flags of lower only in the place of
// those that it gives. The words must all be in the command, the first at its
// beginning; the first row that fits is taken.
type shortForm struct {
	words      []string
	dir        string // from the root; empty is the root itself
	set, lower map[string]string
	values     map[string]string // of long values: what is in their place
	elsewhere  string            // why it is not run here
}

// inCI stands for elsewhere: the command is in .ci/run as it is in the document.
const inCI = ".ci/run runs it"

var shortForms = []shortForm{
	{words: []string{"go run ./demo serve"}, set: map[string]string{"--for": "300ms"}},
	{words: []string{"go run ./demo probe"}, set: map[string]string{"--max-time": "2s", "--max-concurrency": "8"}},
	{words: []string{"go run ./demo sweep sleep"}, set: map[string]string{"--n": "1000"}},
	{words: []string{"go run ./demo pictures"}, set: map[string]string{"--dir": "$(mktemp -d)"}},
	{words: []string{"go run ./demo sweep"}, set: map[string]string{"--rounds": "1", "--window": "50ms", "--max": "32"}},
	{words: []string{"go run ./demo scenario", "--live"}, set: map[string]string{"--phase": "1s"}},
	{
		words: []string{"go run ./demo scenario --"}, values: map[string]string{"study": "steady,step", "pathologies": "retry503"},
		lower: map[string]string{"--seeds": "1", "--random": "2", "--shared": "1"},
	},
	{words: []string{"go run ./demo scenario"}, set: map[string]string{"--scenario": "steady"}},
	{words: []string{"go run ./demo --"}, set: map[string]string{"--n": "40"}, lower: map[string]string{"--runs": "1"}},
	{words: []string{"go run ./demo"}, set: map[string]string{"--n": "40", "--policies": "unbounded,fixed"}},
	{
		words: []string{"go run ./bench"}, dir: "demo/peers",
		set: map[string]string{"-rounds": "1", "-benchtime": "1ms", "-run": "'^Fixed$'"},
	},
	{
		words:  []string{"cd demo/peers/scenario && go test"},
		values: map[string]string{"study": "steady"}, lower: map[string]string{"-seeds": "1"},
	},
	{words: []string{"go test", "-bench"}, dir: "demo/peers", set: map[string]string{"-benchtime": "10x"}},
	{words: []string{"go test -v -run Priorit"}, dir: "demo/peers"},
	{words: []string{"go test -run Many"}, dir: "limiter/fleet", lower: map[string]string{"-processes": "20"}},
	{words: []string{"cd limiter/fleet && go test -v"}, set: map[string]string{"-run": "Split"}},
	{words: []string{"cd limiter/fleet && go test -run"}, set: map[string]string{"-benchtime": "1x", "-count": "1"}},
	{words: []string{"cd demo/fleet"}, set: map[string]string{"--processes": "4", "--for": "1s"}},
	{words: []string{"go test -v -run Soak ./internal/simulation"}, set: map[string]string{"-soak": "1s"}},
	{words: []string{"go test -v ./internal/simulation"}, set: map[string]string{"-hours": "0.02"}},
	{words: []string{"cd demo/peers && go test -race -v ./linear"}, lower: map[string]string{"-histories": "50"}},
	{words: []string{"cd internal/replay && go test"}, lower: map[string]string{"-seeds": "2"}},
	{words: []string{"cd internal/replay && go run"}, set: map[string]string{"-seed": "7", "-hours": "0.01"}},
	{words: []string{"go test -fuzz"}, set: map[string]string{"-run": "'^$'", "-fuzztime": "10x"}},
	{words: []string{"go test -race -short ./..."}, elsewhere: inCI},
	{words: []string{"httpclient/testdata/conformance/run.sh"}, elsewhere: inCI},
	{words: []string{"go test -run TestMemoryOfHosts"}, set: map[string]string{"-short": ""}},
	{words: []string{"go test -run "}},
	{words: []string{"go run ./internal/mutate"}, set: map[string]string{"trailers are lost": ""}},
	{words: []string{"go test -v -run Table ./demo/internal/realservers"}, set: map[string]string{"-list": "Table"}},
	{words: []string{"go test ./..."}, elsewhere: "it is what .ci/run begins with"},
	{words: []string{"go get"}, elsewhere: "it needs a published version"},
	{words: []string{".ci/reproduce"}, elsewhere: "it takes minutes"},
	{words: []string{"go doc"}},
	{words: []string{"cd "}},
	{words: []string{".ci/run"}, elsewhere: "it is what runs this"},
}

func (f shortForm) fits(command string) bool {
	for i, w := range f.words {
		if i == 0 && !strings.HasPrefix(command, w) || !strings.Contains(command, w) {
			return false
		}
	}
	return true
}

func (f shortForm) of(command string) string {
	words := strings.Fields(command)
	for long, short := range f.values {
		for i, w := range words {
			words[i] = strings.ReplaceAll(w, long, short)
		}
	}
	put := func(flag, value string, always bool) {
		if i := slices.Index(words, flag); i >= 0 && i+1 < len(words) {
			words[i+1] = value
		} else if always {
			words = append(words, flag, value)
		}
	}
	for _, flag := range slices.Sorted(maps.Keys(f.set)) {
		put(flag, f.set[flag], true)
	}
	for _, flag := range slices.Sorted(maps.Keys(f.lower)) {
		put(flag, f.lower[flag], false)
	}
	return strings.Join(words, " ")
}

// Commands stand in fences, a line each, or between backticks, where they may go on
// in the next line. They are known by their beginning; in a fence of sh, or one that
// begins with a command, every line is one.
var (
	inline    = regexp.MustCompile("`([^`]+)`")
	beginning = regexp.MustCompile(`^(go (run|test|doc|build|install|get|vet|tool) |cd |\.ci/|httpclient/testdata/)`)
	letter    = regexp.MustCompile(` [A-Z]( |$)`) // in the place of a value: --seed S
)

// commands are those of a document, without their comments. What has an ellipsis in it
// is not one.
func commands(text string) (all []string) {
	add := func(s string, sure bool) {
		s, _, _ = strings.Cut(s, " #")
		s = strings.Join(strings.Fields(s), " ")
		if s == "" || s[0] == '#' || !sure && !beginning.MatchString(s) || strings.Contains(s, "…") {
			return
		}
		all = append(all, letter.ReplaceAllString(s, " 1$1"))
	}
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] != "" && m[1] != "sh" {
			continue
		}
		for line := range strings.SplitSeq(strings.ReplaceAll(m[2], "\\\n", " "), "\n") {
			add(line, m[1] == "sh" || beginning.MatchString(m[2]))
		}
	}
	for _, m := range inline.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		add(m[1], false)
	}
	return all
}

// The harness is asked for its help with each command's flags before it, which it
// reads first: it then fails for one that it does not know.
func TestCommandHasFlagsThatTheHarnessDoesNotKnow(t *testing.T) {
	t.Parallel() // beside the compiler
	demo := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", demo, "../demo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seen := map[string]bool{}
	for name, text := range documents(t) {
		for _, command := range commands(text) {
			arguments, ok := strings.CutPrefix(command+" ", "go run ./demo ")
			if !ok || seen[command] {
				continue
			}
			seen[command] = true
			sh := exec.CommandContext(t.Context(), "sh", "-c", demo+" "+arguments+" --help")
			if out, err := sh.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", name, command, err, out)
			}
		}
	}
	if len(seen) < 5 {
		t.Errorf("only %d commands found", len(seen))
	}
}

// Every command is known to the table above, so that it is run in CI.
func TestCommandHasNoShortForm(t *testing.T) {
	ci, err := os.ReadFile("../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range documents(t) {
		for _, command := range commands(text) {
			i := slices.IndexFunc(shortForms, func(f shortForm) bool { return f.fits(command) })
			switch {
			case i < 0:
				t.Errorf("%s: %s", name, command)
			case shortForms[i].elsewhere == inCI && !strings.Contains(string(ci), "run "+command+"\n"):
				t.Errorf("%s: %s: .ci/run does not run it", name, command)
			}
		}
	}
}

// A fence of a language that no test looks at would be neither compiled nor run.
func TestFenceIsOfALanguageThatNoTestLooksAt(t *testing.T) {
	opening := regexp.MustCompile("(?m)^[ \t>]*(?:```|~~~)(.*)$")
	for name, text := range documents(t) {
		for i, m := range opening.FindAllStringSubmatch(text, -1) {
			if known := []string{"", "go", "sh", "yaml"}; i%2 == 0 && !slices.Contains(known, m[1]) || m[0] != "```"+m[1] {
				t.Errorf("%s: %q", name, m[0])
			}
		}
	}
}

// Each command is run, in its short form and once, two at a time. It takes minutes,
// so it has to be asked for.
func TestCommandFails(t *testing.T) {
	if os.Getenv("TIDEGATE_COMMANDS") == "" {
		t.Skip("TIDEGATE_COMMANDS is not set: it takes minutes")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Millisecond)
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(server.Close)
	// The harness keeps its reports in the cache folder, and go what it has built.
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	once := map[string]bool{}
	t.Run("all", func(t *testing.T) {
		for name, text := range documents(t) {
			for _, command := range commands(text) {
				i := slices.IndexFunc(shortForms, func(f shortForm) bool { return f.fits(command) })
				if i < 0 || once[command] {
					continue // TestCommandHasNoShortForm tells
				}
				once[command] = true
				f := shortForms[i]
				if f.elsewhere != "" {
					t.Logf("%s: %s: %s", name, command, f.elsewhere)
					continue
				}
				short := strings.ReplaceAll(f.of(command), "http://127.0.0.1:8080", server.URL)
				short = strings.ReplaceAll(short, "127.0.0.1:8080", "127.0.0.1:0")
				if short != command && once[short] {
					continue
				}
				once[short] = true
				t.Run(short, func(t *testing.T) {
					t.Parallel()
					run(t, filepath.Join("..", f.dir), short)
				})
			}
		}
	})
	if len(once) < 10 {
		t.Errorf("only %d commands found", len(once))
	}
}

func run(t *testing.T, dir, command string) {
	t.Helper()
	// For what hangs, not for what is slow: a module may have to be built first.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	// What a command writes must not stay in the repository.
	command = regexp.MustCompile(`>\S+`).ReplaceAllString(command, ">/dev/null")
	sh := exec.CommandContext(ctx, "sh", "-c", command)
	sh.Dir, sh.WaitDelay = dir, time.Second
	out, err := sh.CombinedOutput()
	if err == nil && didNothing(command, string(out)) {
		err = errors.New("it finds nothing to run")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// didNothing reports whether go test has found nothing of the name that it was given,
// which it does not take for an error.
func didNothing(command, out string) bool {
	switch {
	case !strings.Contains(command, "go test "):
		return false
	case strings.Contains(command, " -bench "):
		return !strings.Contains(out, "\nBenchmark")
	case strings.Contains(command, " -list "):
		return !regexp.MustCompile(`(?m)^(Test|Fuzz|Benchmark)`).MatchString(out)
	}
	return strings.Contains(out, "no tests to run") || strings.Contains(out, "no fuzz tests to fuzz") ||
		strings.Contains(out, "no test files")
}
