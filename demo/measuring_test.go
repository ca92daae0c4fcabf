package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

func TestWrongFlagsOfSubcommandsSayWhatIsValid(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"sweep --bogus", "valid are --addr"},
		{"sweep all", "valid: origin (the default) or sleep"},
		{"sweep origin sleep", "valid: origin (the default) or sleep"},
		{"sweep --max 3", "from 4 to 100000"},
		{"sweep --max many", "from 4 to 100000"},
		{"sweep --rounds 0", "from 1 to 100"},
		{"sweep --rounds", "needs a value"},
		{"sweep --window -1s", "from 0 (chosen)"},
		{"sweep --timeout 0", "above 0"},
		{"sweep --workers 0", "from 1 to 65536"},
		{"sweep --network -1s", "from 0 to 1m"},
		{"sweep --mechanism fast", "slow, queue, quota"},
		{"sweep --seed -1", "from 0 to"},
		{"sweep --n 5", "it is for sweep sleep"},
		{"sweep sleep --workers 5", "it is for sweep origin"},
		{"sweep sleep --max 5", "it is for sweep origin"},
		{"sweep sleep --n 0", "from 1 to 10000000"},
		{"sweep sleep --runs 0", "from 1 to 100"},
		{"sweep --json=", "name of a file"},
		{"sweep --json /none/such/x.json", "/none/such/x.json"},
		{"probe", "wants one URL"},
		{"probe a b", "wants one URL"},
		{"probe 127.0.0.1:80", "valid"},
		{"probe ftp://127.0.0.1/", "valid: http://host/path"},
		{"probe http:///x", "valid: http://host/path"},
		{"probe http://me:secret@127.0.0.1/", "--header"},
		{"probe http://127.0.0.1/%zz", "the URL is not valid"},
		{"probe http://192.0.2.1/", "add --i-may-load 192.0.2.1"},
		{"probe http://192.0.2.1/ --i-may-load example.com", "name the same host"},
		{"probe http://127.0.0.1/ --max-concurrency 0", "from 1 to 10000"},
		{"probe http://127.0.0.1/ --max-rate NaN", "above 0"},
		{"probe http://127.0.0.1/ --max-requests 0", "from 1"},
		{"probe http://127.0.0.1/ --max-time 1ms", "from 1s"},
		{"probe http://127.0.0.1/ --timeout 0", "above 0"},
		{"probe http://127.0.0.1/ --header secret", "a name and a value"},
		{"serve now", "takes flags only"},
		{"serve --for -1s", "from 0"},
		{"serve --addr 0.0.0.0:80", "loopback"},
		{"doctor now", "takes flags only"},
		{"doctor --bogus", "valid are"},
		{"pictures now", "takes flags only"},
		{"pictures --dir=", "the name of a folder"},
		{"pictures --dir measuring_test.go", "the name of a folder"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := demo(t, strings.Fields(tt.args)...)
			if code != 2 || stdout != "" {
				t.Errorf("status %d and %q on standard output, want 2 and nothing", code, stdout)
			}
			if !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "secret") {
				t.Errorf("%q, want one line with %q", stderr, tt.want)
			}
		})
	}
}

func TestWhatIsMissingForAMeasurement(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	for _, tt := range []struct{ args, want string }{
		{"sweep --addr " + busy.Addr().String(), "address already in use"},
		{"serve --addr " + busy.Addr().String(), "address already in use"},
		{"probe http://" + free.Addr().String() + "/", "refused"},
	} {
		_, stderr, code := demo(t, strings.Fields(tt.args)...)
		if code != 4 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: status %d and %q, want 4 and %q", tt.args, code, stderr, tt.want)
		}
	}
}

func TestHelpOfSubcommandsLeadsWithExamplesAndNamesEveryFlag(t *testing.T) {
	for name, flags := range map[string][]map[string]string{
		"sweep": {validSweep, validOrigin}, "probe": {validProbe}, "serve": {validServe, validOrigin}, "doctor": nil,
		"pictures": {validPictures},
	} {
		stdout, stderr, code := demo(t, name, "--help")
		if code != 0 || stderr != "" || !strings.Contains(stdout, "go run ./demo "+name) || !strings.Contains(stdout, "Exit status") {
			t.Errorf("%s: status %d, %q", name, code, stderr)
		}
		for _, valid := range flags {
			for flag := range valid {
				if !strings.Contains(stdout, "--"+flag+" ") {
					t.Errorf("the help of %s does not explain --%s", name, flag)
				}
			}
		}
	}
}

func TestASweepAnswersInItsLastLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.json")
	stdout, stderr, code := demo(t, "sweep", "--workers", "4", "--service", "20ms", "--rounds", "2", "--max", "32", "--seed", "3", "--json", path)
	if code != 0 {
		t.Fatalf("status %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "use limit = ") || !strings.Contains(last, "because") {
		t.Errorf("the last line is %q", last)
	}
	for _, want := range []string{"limiter.Fixed(", "Kneedle", "USL", "Regions: linear", "slow service", "Known: the arithmetic of this origin gives 4"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout+stderr, "\x1b") || strings.Contains(stdout+stderr, "\r") {
		t.Error("escape codes where there is no terminal")
	}
	d := readDocument(t, path)
	if r := d.Sweep; r == nil || r.Knee == nil || r.Knee.Limit < 1 || len(r.Measurements) < 8 || r.Known == nil || d.Environment.Flags["workers"] != "4" {
		t.Errorf("%+v", d.Sweep)
	}
}

func TestAnInterruptedSweepKeepsWhatWasMeasured(t *testing.T) {
	c := command(t, "sweep", "--window", "300ms", "--json", "-")
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
	sent := false
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		stderr.WriteString(lines.Text() + "\n")
		if !sent && strings.Contains(lines.Text(), "scan: limit 1,") {
			sent = true
			_ = c.Process.Signal(os.Interrupt)
		}
	}
	if code := exitCode(t, c.Wait()); code != 130 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("status %d: %s", code, stderr.String())
	}
	d := parseDocument(t, stdout.Bytes())
	if !d.Interrupted || d.Sweep == nil || !d.Sweep.Interrupted || len(d.Sweep.Measurements) == 0 {
		t.Errorf("%+v", d.Sweep)
	}
}

func TestASleepSweepSaysWhereAllAtOnceIsBest(t *testing.T) {
	stdout, stderr, code := demo(t, "sweep", "sleep", "--n", "50,10", "--barrier", "--json", "-")
	if code != 0 {
		t.Fatalf("status %d: %s", code, stderr)
	}
	d := parseDocument(t, []byte(stdout))
	if r := d.SleepSweep; r == nil || r.BestUpTo != 50 || r.LosesFrom != 0 || len(r.Rows) != 8 || r.Rows[0].N != 10 || len(d.Runs) != 6 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(stderr, "all at once is best up to 50") {
		t.Errorf("no answer in\n%s", stderr)
	}
}

func TestAProbeRecommendsAndTellsNoSecrets(t *testing.T) {
	c := origin.Config{Workers: 4, Service: 20 * time.Millisecond}
	o, err := origin.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	path := filepath.Join(t.TempDir(), "probe.json")
	stdout, stderr, code := demo(t, "probe", o.URL()+"/x?key=secret", "--header", "X-Key: secret", "--json", path)
	if code != 0 {
		t.Fatalf("status %d: %s", code, stderr)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stdout+stderr+string(text), "secret") {
		t.Error("a secret was written")
	}
	d := parseDocument(t, text)
	if r := d.Probe; r == nil || r.Limit < 2 || r.Limit > 8 || r.Failed != 0 || r.Rate <= 0 || r.Timeout <= 0 || r.Seconds > 30 {
		t.Errorf("%+v", d.Probe)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "use limit = ") {
		t.Errorf("the last line is %q", last)
	}
}

// Harm is no failure of the command: it says what it saw and what was clean.
func TestAProbeStopsAtAQuota(t *testing.T) {
	calls := make(chan *http.Request, 10_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(5 * time.Millisecond)
		calls <- r
		if len(calls) > 200 {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer s.Close()
	stdout, stderr, code := demo(t, "probe", s.URL)
	words := strings.Join(strings.Fields(stdout), " ") // without the breaks of lines
	if code != 0 || !strings.Contains(words, "429") || !strings.Contains(words, "left alone for 2s") || !strings.Contains(words, "use limit = ") {
		t.Errorf("status %d\n%s%s", code, stdout, stderr)
	}
	if n := len(calls); n > 200+20 {
		t.Errorf("%d calls after the first 429", n-200)
	}
	if r := <-calls; !strings.HasPrefix(r.UserAgent(), "tidegate-probe/") || r.Method != http.MethodGet {
		t.Errorf("%s by %q", r.Method, r.UserAgent())
	}
}

// A name may stand for this machine when it is looked up and for another one
// when it is called.
func TestAProbeConnectsToNoOtherMachineUnconfirmed(t *testing.T) {
	o := probeOptions{timeout: time.Second}
	transport := o.transport(false)
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://192.0.2.1:80/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), errElsewhere.Error()) {
		t.Errorf("%v, want %v", err, errElsewhere)
	}
}

func TestServeAnswersAndGivesAnAccount(t *testing.T) {
	c := command(t, "serve", "--workers", "2", "--mechanism", "queue")
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	if !lines.Scan() {
		t.Fatal("no URL")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, lines.Text(), nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	_ = c.Process.Signal(os.Interrupt)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "1 requests: 1 served,") {
		t.Errorf("the account is %q", lines.Text())
	}
	for lines.Scan() {
	}
	if code := exitCode(t, c.Wait()); code != 0 {
		t.Errorf("status %d", code)
	}
}

func TestDoctorNamesWhatItLookedFor(t *testing.T) {
	stdout, stderr, code := demo(t, "doctor")
	if code != 0 || stderr != "" {
		t.Errorf("status %d, %s", code, stderr)
	}
	for _, want := range []string{"Go ", "CPU", "origin", "open files", "ports", "memory", "PostgreSQL", "Python 3", "other programs"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
}

// The report draws from these names.
func TestTheJSONOfASweepHasItsNames(t *testing.T) {
	text, err := json.Marshal(report.Document{})
	if err != nil || strings.Contains(string(text), "sweep") || strings.Contains(string(text), "probe") {
		t.Errorf("%s, %v: what was not asked for is left out", text, err)
	}
}
