package page

import (
	"context"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browser finds Chromium, or skips the test. CI sets TIDEGATE_REQUIRE_REAL and
// has it installed, so that a skip there is a failure.
func browser(t *testing.T) string {
	t.Helper()
	if testing.Short() && os.Getenv("TIDEGATE_REQUIRE_REAL") == "" {
		t.Skip("skipped with -short: it starts a browser")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("TIDEGATE_REQUIRE_REAL") != "" {
		t.Fatal("Chromium is not installed")
	}
	t.Skip("skipped: Chromium is not installed")
	return ""
}

// opened is what became of a page in the browser.
type opened struct {
	dom      string
	requests []string // of anything but the file itself
}

// open has the browser open a page from a file, without a network.
func open(t *testing.T, page string, flags ...string) opened {
	t.Helper()
	program := browser(t)
	dir := t.TempDir()
	file, log := filepath.Join(dir, "report.html"), filepath.Join(dir, "net.json")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-default-apps", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--window-size=1120,980", "--virtual-time-budget=3000",
		"--log-net-log=" + log, "--dump-dom",
	}, flags...)
	out, err := exec.CommandContext(ctx, program, append(args, "file://"+file)...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return opened{string(out), requests(t, log)}
}

// requests lists the addresses that a log of Chromium's says the page has asked
// for. The browser asks for some of its own, for updates, which are not the
// page's doing.
func requests(t *testing.T, path string) (urls []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Events []struct {
			Params struct {
				URL       string `json:"url"`
				Initiator string `json:"initiator"`
			} `json:"params"`
		} `json:"events"`
	}
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatalf("the browser's log: %v", err)
	}
	if len(log.Events) == 0 {
		t.Error("the browser's log is empty, so it proves nothing")
	}
	for _, e := range log.Events {
		if e.Params.URL != "" && e.Params.Initiator != "" && e.Params.Initiator != "not an origin" &&
			!strings.HasPrefix(e.Params.URL, "file://") && !strings.HasPrefix(e.Params.URL, "data:") {
			urls = append(urls, e.Params.URL)
		}
	}
	return urls
}

var state = regexp.MustCompile(`<html[^>]*data-errors="([^"]*)"[^>]*data-charts="([^"]*)"`)

func TestChartsAreDrawnWithoutAnErrorOrARequest(t *testing.T) {
	sweepFile, err := Parse([]byte(sweep("http://127.0.0.1:8080/")))
	if err != nil {
		t.Fatal(err)
	}
	page := made(t, reread(t, document(200, 6)), sweepFile)
	for name, flags := range map[string][]string{
		"light": nil, "dark": {"--force-dark-mode"}, "phone": {"--window-size=390,844"},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, page, flags...)
			m := state.FindStringSubmatch(o.dom)
			if m == nil {
				t.Fatalf("the script has not run: %.300s", o.dom)
			}
			if m[1] != "" {
				t.Errorf("errors: %s", html.UnescapeString(m[1]))
			}
			drawn, all, _ := strings.Cut(m[2], "/")
			if drawn != all || drawn == "0" || strings.Count(o.dom, "<canvas") != strings.Count(page, `class="plot"`) {
				t.Errorf("%s of %s charts, %d canvases of %d", drawn, all, strings.Count(o.dom, "<canvas"), strings.Count(page, `class="plot"`))
			}
			if len(o.requests) > 0 {
				t.Errorf("requests: %q", o.requests)
			}
		})
	}
}

func TestNoNameRunsAsAScript(t *testing.T) {
	d := document(120, 1)
	const evil = `</script><script>document.documentElement.dataset.evil=1</script><img src=http://127.0.0.1:9/ onerror="document.documentElement.dataset.evil=1">`
	d.Error, d.Environment.CPU = evil, evil
	for _, r := range d.Runs {
		r.Label, r.Against = evil, evil
	}
	o := open(t, made(t, reread(t, d)))
	if strings.Contains(o.dom, "data-evil") {
		t.Error("a name ran as a script")
	}
	if m := state.FindStringSubmatch(o.dom); m == nil || m[1] != "" {
		t.Errorf("%v", m)
	}
	if len(o.requests) > 0 {
		t.Errorf("requests: %q", o.requests)
	}
}

// The policy must hold where escaping would have failed.
func TestPolicyStopsWhatEscapingWouldHaveLetThrough(t *testing.T) {
	page := strings.Replace(made(t), "<main>",
		`<main><script>document.documentElement.dataset.evil=1</script><img src="http://127.0.0.1:9/x.png" onerror="document.documentElement.dataset.evil=1">`, 1)
	o := open(t, page)
	if strings.Contains(o.dom, "data-evil") || len(o.requests) > 0 {
		t.Errorf("it ran, or asked for %q", o.requests)
	}
	// And without the policy all of that must be seen, or it proves nothing.
	o = open(t, strings.Replace(page, `http-equiv="Content-Security-Policy"`, "", 1))
	if !strings.Contains(o.dom, "data-evil") || len(o.requests) == 0 {
		t.Errorf("without a policy nothing was seen either; requests %q", o.requests)
	}
}

func jsonText(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}
