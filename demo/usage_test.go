package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestWrongFlagsSayWhatIsValid(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // in the one line on standard error
	}{
		{"--bogus", "valid are --addr"},
		{"sleep", "--experiments sleep,uneven,http,postgres"},
		{"--experiments slep", "valid are sleep, uneven, http, postgres"},
		{"--experiments=", "valid are sleep, uneven, http, postgres"},
		{"--experiments sleep,sleep", "given twice"},
		{"--policies foo", "valid are unbounded, batch, fixed, rate, adaptive, aimd, vegas, gradient2, gradient, pool"},
		{"--policies pool", "postgres only"},
		{"--n 0", "from 1 to 10000000"},
		{"--n -5", "from 1 to 10000000"},
		{"--n 1e6", "whole numbers"},
		{"--n", "needs a value"},
		{"--n 1000000", "add --experiments sleep"},
		{"--runs 0", "from 1 to 1000"},
		{"--seed -1", "from 0 to"},
		{"--limit 0", "from 1 to"},
		{"--limit -3", "from 1 to"},
		{"--batch 0", "from 1 to"},
		{"--initial 0", "from 1 to"},
		{"--rate NaN", "above 0"},
		{"--rate Inf", "above 0"},
		{"--rate -1", "above 0"},
		{"--rate 0", "above 0"},
		{"--spread NaN", "from 0 to 1"},
		{"--spread 1.1", "from 0 to 1"},
		{"--timeout 0", "above 0"},
		{"--timeout 5", "such as 500ms"},
		{"--workers 0", "from 1 to 65536"},
		{"--service -1ms", "above 0"},
		{"--queue -1", "from 0"},
		{"--network -1s", "from 0 to 1m"},
		{"--mechanism fast", "slow, queue, quota, backlog, streams"},
		{"--quota NaN", "from 0"},
		{"--backlog -1", "from 0"},
		{"--streams 1.5", "whole number"},
		{"--experiments sleep --mechanism slow", "leaves out"},
		{"--hold 0s", "above 0"},
		{"--addr 0.0.0.0:80", "loopback"},
		{"--addr localhost", "loopback"},
		{"--stand-in=maybe", "true or false"},
		{"--dsn=", "postgres://"},
		{"--dsn host=x --stand-in", "exclude each other"},
		{"--policies batch --limit 3", "leaves out"},
		{"--policies gradient --initial 3", "leaves out"},
		{"--experiments sleep --timeout 1s", "leaves out"},
		{"--json=", "name of a file"},
		{"--json /none/such/x.json", "/none/such/x.json"},
		{"--json .", "valid: the name of a file"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := demo(t, strings.Fields(tt.args)...)
			if code != 2 || stdout != "" {
				t.Errorf("status %d and %q on standard output, want 2 and nothing", code, stdout)
			}
			if !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%q, want one line with %q", stderr, tt.want)
			}
		})
	}
}

func TestWhatIsMissingIsKnownBeforeTheFirstRun(t *testing.T) {
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
	old := filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"port in use", []string{"--experiments", "http", "--addr", busy.Addr().String()}, "address already in use"},
		{"server unreachable", []string{"--experiments", "sleep,postgres", "--dsn", "postgres://me:secret@" + free.Addr().String() + "/db"}, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := demo(t, append(tt.args, "--json", old)...)
			if code != 4 || stdout != "" {
				t.Errorf("status %d and %q on standard output, want 4 and nothing", code, stdout)
			}
			if !strings.Contains(stderr, tt.want) || strings.Contains(stderr, "secret") {
				t.Errorf("%q, want it to say %q and no password", stderr, tt.want)
			}
			if text, err := os.ReadFile(old); err != nil || string(text) != "old" {
				t.Errorf("the file that was there holds %q (%v)", text, err)
			}
		})
	}
}

func TestHelpLeadsWithExamplesAndNamesEveryFlag(t *testing.T) {
	stdout, stderr, code := demo(t, "--help")
	if code != 0 || stderr != "" {
		t.Errorf("status %d, %q on standard error", code, stderr)
	}
	examples, flags := strings.Index(stdout, "Examples:"), strings.Index(stdout, "--runs times")
	if examples < 0 || flags < examples {
		t.Errorf("examples at %d, flags at %d", examples, flags)
	}
	for name := range valid {
		if name != "help" && name != "version" && !strings.Contains(stdout, "--"+name+" ") {
			t.Errorf("the help does not explain --%s", name)
		}
	}
	var o options
	for _, g := range o.flags() {
		g.set.VisitAll(func(f *pflag.Flag) {
			if valid[f.Name] == "" {
				t.Errorf("nothing says what is valid for --%s", f.Name)
			}
		})
	}
}
