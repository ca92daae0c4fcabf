package docs_test

import (
	"context"
	"fmt"
	"maps"
	"net"
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

// A world is what the snippets call when they run.
type world struct {
	http, redis string // addresses
	environment []string
}

func newWorld(t *testing.T) world {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(10 * time.Millisecond)
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(server.Close)
	// A port for the stand-in of Redis, which only the module of limiter/fleet has.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return world{
		http: server.Listener.Addr().String(), redis: l.Addr().String(),
		environment: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "TIDEGATE_SERVER="+server.URL),
	}
}

// replace puts the addresses of this world into a snippet.
func (w world) replace(snippet string) string {
	return strings.NewReplacer("127.0.0.1:8080", w.http, "redis:6379", w.redis).Replace(snippet)
}

// method finds the policy that a snippet declares.
var method = regexp.MustCompile(`(?m)^func \(\w+ \*(\w+)\) Next\(`)

// run runs each snippet of a module that compiles, in a process of its own. What it
// returns must be nil. A policy has to pass limitertest, and a whole program, which
// does not end by itself, to print something within some seconds.
func (h *home) run(t *testing.T, w world) {
	t.Helper()
	statements := []string{}
	for _, pkg := range slices.Sorted(maps.Keys(h.where)) {
		text := h.text[pkg]
		policy := method.FindStringSubmatch(text)
		switch {
		case strings.HasPrefix(text, "package main"):
			h.build(t, w, pkg)
			h.runProgram(t, w, pkg)
		case policy != nil:
			h.write(t, pkg+"/snippet_test.go", fmt.Sprintf(conformance, policy[1]))
			h.command(t, w, h.where[pkg], "go", "test", "./"+pkg)
		case strings.Contains(text, "\nfunc Run() error {"):
			statements = append(statements, pkg)
		}
	}
	if len(statements) == 0 {
		return
	}
	h.write(t, "all/main.go", h.mainOf(statements, w))
	h.build(t, w, "all")
	for _, pkg := range statements {
		h.command(t, w, h.where[pkg], filepath.Join(h.dir, "all.bin"), pkg)
	}
}

const conformance = `package snippet

import (
	"testing"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/limitertest"
)

func TestPolicy(t *testing.T) {
	limitertest.Run(t, func() limiter.Policy { return new(%s) })
}
`

// mainOf is a program that runs the one of the snippets that it is told.
func (h *home) mainOf(snippets []string, w world) string {
	var imports, cases strings.Builder
	for _, pkg := range snippets {
		fmt.Fprintf(&imports, "\t%s \"snippets/%s\"\n", pkg, pkg)
		fmt.Fprintf(&cases, "\tcase %q:\n\t\terr = %s.Run()\n", pkg, pkg)
	}
	before := ""
	if strings.Contains(h.mod, "alicebob/miniredis/v2") {
		imports.WriteString("\t\"github.com/alicebob/miniredis/v2\"\n")
		before = fmt.Sprintf("\tif err := miniredis.NewMiniRedis().StartAddr(%q); err != nil {\n\t\tlog.Fatal(err)\n\t}\n", w.redis)
	}
	return "package main\n\nimport (\n\t\"log\"\n\t\"os\"\n\n" + imports.String() + ")\n\nfunc main() {\n" + before +
		"\tvar err error\n\tswitch os.Args[1] {\n" + cases.String() + "\t}\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n}\n"
}

func (h *home) build(t *testing.T, w world, pkg string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", pkg+".bin", "./"+pkg)
	build.Dir, build.Env = h.dir, w.environment
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", h.where[pkg], err, out)
	}
}

func (h *home) command(t *testing.T, w world, at, name string, args ...string) {
	t.Helper()
	// For what hangs, not for what is slow.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = h.dir, w.environment
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", at, err, out)
	}
}

// runProgram runs a program until it has printed a line.
func (h *home) runProgram(t *testing.T, w world, pkg string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(h.dir, pkg+".bin"))
	cmd.Env = w.environment
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 1000)
	n, err := out.Read(line)
	cancel()
	_ = cmd.Wait() // it was killed
	t.Logf("%s: %s", h.where[pkg], line[:n])
	if err != nil {
		t.Errorf("%s: it ends, or prints nothing: %v", h.where[pkg], err)
	}
}
