package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestTheSameJSONGivesTheSameReport(t *testing.T) {
	d := document(200, 6)
	f, err := FromDocument(d)
	if err != nil {
		t.Fatal(err)
	}
	direct, again := made(t, f), made(t, reread(t, d))
	if direct != again {
		t.Error("the report of a run and that of its file differ")
	}
	for _, want := range []string{
		"HTTP calls", "Who worked when", "busy", "As predicted", "interval by order statistics", "At a glance",
		"Latency since it was submitted", "The limit over time", "AMD", "vegas 20",
	} {
		if want == "AMD" {
			want = "a CPU"
		}
		if !strings.Contains(direct, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestReportStaysSmall(t *testing.T) {
	d := document(1000, 1)
	for _, n := range []int{1001, 1002, 1003, 1004, 1005, 1006} {
		d.Runs = append(d.Runs, document(n, 1).Runs...)
	}
	page := made(t, reread(t, d))
	if len(page) > MaxBytes {
		t.Errorf("%d bytes for %d runs, want at most %d", len(page), len(d.Runs), MaxBytes)
	}
	t.Logf("%d bytes for %d runs", len(page), len(d.Runs))
}

// outside is what a page without a network cannot have. A link that nobody has
// clicked loads nothing, but there are none either.
var outside = regexp.MustCompile(`(?i)(src|href|action|url)\s*[=(]\s*["']?\s*(https?:|//)|@import|<link|<iframe|<base`)

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	page := made(t, reread(t, document(100, 1)))
	if m := outside.FindString(page); m != "" {
		t.Errorf("%q in the page", m)
	}
}

func TestHostileNamesStayText(t *testing.T) {
	for _, evil := range []string{
		`<script>window.evil=1</script>`, `</script><script>window.evil=1</script>`, `"><img src=x onerror="window.evil=1">`,
		`'-window.evil=1-'`, "`${window.evil=1}`", `javascript:window.evil=1`, `{{.}}`, `]]><!--`, "\u2028window.evil=1", `</style><b>`,
		`expression(window.evil=1)`, `;background:url(http://evil.example)`,
	} {
		d := document(60, 1)
		d.Runs = d.Runs[:5]
		d.Error, d.Environment.CPU = evil, evil
		d.Environment.Flags = map[string]string{evil: evil}
		for _, r := range d.Runs {
			r.Label, r.Against, r.Law, r.Runtime, r.Prediction.Text = evil, evil, evil, evil, evil
			r.Params["limit"] = evil
		}
		d.Runs[0].Policy, d.Runs[0].Experiment = evil, evil
		file := reread(t, d)
		file.Name = evil
		sweepFile, err := Parse([]byte(strings.Replace(sweep("TARGET"), "TARGET", strings.Trim(jsonText(evil), `"`), 1)))
		if err != nil {
			t.Fatal(err)
		}
		page := made(t, file, sweepFile)
		for _, want := range []string{"<script", "</script", "<style", "</style"} {
			if got, usual := strings.Count(page, want), map[string]int{"<script": 3, "</script": 3, "<style": 3, "</style": 3}[want]; got != usual {
				t.Errorf("%q: %d times %s, want %d", evil, got, want, usual)
			}
		}
		if regexp.MustCompile(`(?i)<[^>]*\s(onerror|onload|onclick)\s*=`).MatchString(page) || strings.Contains(page, "<img") ||
			regexp.MustCompile(`(?i)href="javascript:`).MatchString(page) || regexp.MustCompile(`(?i)(style|src)="[^"]*(http|expression)`).MatchString(page) {
			t.Errorf("%q got through", evil)
		}
		if strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%q is where html/template lets nothing be", evil)
		}
	}
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	for _, text := range []string{``, `[]`, `{}`, `{"schema":2,"kind":"run"}`, `{"schema":1,"kind":"nonsense"}`, `{"schema":1,"runs":7}`, `{"schema":1}`, `{"schema":1,"results":[{"scenario":"step"}]}`} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%q: %v, want ErrNotOurs", text, err)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// Odd, and no reason to fail.
	for _, text := range []string{
		`{"schema":1,"runs":[]}`, `{"schema":1,"kind":"run","runs":[null,{},{"n":5,"policy":"x"},{"experiment":"uneven","n":3,"policy":"fixed","wall_seconds":1}]}`,
		`{"schema":1,"kind":"sweep"}`, `{"schema":1,"kind":"probe","points":[{"limit":0},{"limit":1,"p50_ms":-1}],"knee":{"limit":1}}`,
	} {
		f, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		made(t, f)
	}
}

func TestSweepHasItsKnee(t *testing.T) {
	f, err := Parse([]byte(sweep("http://127.0.0.1:8080")))
	if err != nil {
		t.Fatal(err)
	}
	page := made(t, f)
	for _, want := range []string{"<b>8</b> at once", "interval 7 to 9", "R² = 0.85", "It fits badly", "Goodput by limit", "Up to 8 in flight", "knee 8"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestSweepsInADocumentAreShown(t *testing.T) {
	inner := strings.Replace(sweep("an origin"), `"target"`, `"against"`, 1)
	f, err := Parse([]byte(`{"schema":1,"runs":[],"sweep":` + inner + `,"probe":{"endpoint":"http://127.0.0.1:1/","limit":8,"from":7,"to":9,"rate":600,"timeout_seconds":0.05,
		"harm":"503 twice","points":[{"limit":1,"goodput":90,"counts":{"succeeded":9,"failed":1}}]},
		"sleep_sweep":{"rows":[{"n":1000,"policy":"unbounded","median_seconds":0.3},{"n":1000000,"policy":"unbounded","median_seconds":4}],"best_up_to":1000,"loses_from":1000000,"loses_to":"batch"}}`))
	if err != nil {
		t.Fatal(err)
	}
	page := made(t, f)
	for _, want := range []string{"<b>8</b> at once", "Your endpoint", "503 twice", "a limit of 8 (7 to 9)", "up to 1,000 tasks. At 1,000,000 it loses to batch"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestUPlotIsUnchanged(t *testing.T) {
	for text, want := range map[*string]string{
		&uplotJS:  "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
		&uplotCSS: "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
	} {
		sum := sha256.Sum256([]byte(*text))
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%.40s…: %s, want %s", *text, got, want)
		}
	}
	if !strings.Contains(uplotLicense, "MIT") || !bytes.Contains([]byte(made(t)), []byte("Leon Sorokin")) {
		t.Error("the licence is missing")
	}
}
