package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// surroundings declares what the snippets take for granted: a program that somebody
// has already, and a server that it calls.
const surroundings = `
type User struct{}

type database struct{}

func (database) LoadUser(context.Context, int) (User, error) { return User{}, nil }

var (
	ctx    = context.Background()
	db     database
	id     int
	n      int
	urls   = []string{os.Getenv("TIDEGATE_SERVER")}
	client = http.DefaultClient
	fetch  = func(context.Context, string) error { return nil }
	l      = limiter.New(limiter.Fixed(1))
	work   = func(context.Context) error { return nil }

	logger       = zap.NewNop()
	req, _       = http.NewRequest(http.MethodGet, os.Getenv("TIDEGATE_SERVER"), nil)
	target, _    = url.Parse(os.Getenv("TIDEGATE_SERVER"))
	transport, _ = httpclient.NewTransport(httpclient.Config{})
	unavailable  = func(time.Duration) error { return nil }
)
`

// imports are those that a snippet needs, by the name before the dot.
var imports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "httputil": "net/http/httputil",
	"io": "io", "os": "os", "slices": "slices", "time": "time", "url": "net/url",
	"limiter":         "github.com/tidegate-go/tidegate/limiter",
	"httpclient":      "github.com/tidegate-go/tidegate/httpclient",
	"zap":             "go.uber.org/zap",
	"adaptivelimiter": "github.com/failsafe-go/failsafe-go/adaptivelimiter",
	"bulkhead":        "github.com/failsafe-go/failsafe-go/bulkhead",
	"circuitbreaker":  "github.com/failsafe-go/failsafe-go/circuitbreaker",
	"errgroup":        "golang.org/x/sync/errgroup",
	"failsafe":        "github.com/failsafe-go/failsafe-go",
	"failsafehttp":    "github.com/failsafe-go/failsafe-go/failsafehttp",
	"fleet":           "github.com/tidegate-go/tidegate/limiter/fleet",
	"oauth2":          "golang.org/x/oauth2",
	"otelhttp":        "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
	"otelmetrics":     "github.com/tidegate-go/tidegate/httpclient/otelmetrics",
	"prometheus":      "github.com/prometheus/client_golang/prometheus",
	"prommetrics":     "github.com/tidegate-go/tidegate/httpclient/prommetrics",
	"redis":           "github.com/redis/go-redis/v9",
	"retryablehttp":   "github.com/hashicorp/go-retryablehttp",
	"semaphore":       "golang.org/x/sync/semaphore",
}

// homes are the modules that a snippet can be compiled in: the first that has all
// that it imports. What users have before they come here, for one, is required by
// demo/peers alone.
var homes = []string{"", "demo/peers", "httpclient/otelmetrics", "httpclient/prommetrics", "limiter/fleet"}

const self = "github.com/tidegate-go/tidegate"

// A home collects the snippets of one module, each a package of a copy of it.
type home struct {
	dir, mod string
	where    map[string]string // of a package: the document and the line
	text     map[string]string // of a package: the file
}

func newHome(t *testing.T, module string) *home {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	h := &home{dir: t.TempDir(), where: map[string]string{}, text: map[string]string{}}
	mod, err := os.ReadFile(filepath.Join(root, module, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, module, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(self+"/"+module, "/")
	h.mod = strings.Replace(string(mod), "module "+name+"\n", "module snippets\n", 1)
	h.mod = regexp.MustCompile(`(?m)^replace .*\n`).ReplaceAllString(h.mod, "")
	if module != "demo/peers" { // which has nothing to import
		h.mod += "\nrequire " + name + " v0.0.0\nreplace " + name + " => " + filepath.Join(root, module) + "\n"
	}
	if module != "" {
		h.mod += "\nreplace " + self + " => " + root + "\n"
	}
	h.write(t, "go.mod", h.mod)
	h.write(t, "go.sum", string(sum))
	return h
}

func (h *home) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// has reports whether a package is the standard library's or of a module that is
// required here.
func (h *home) has(pkg string) bool {
	if first, _, _ := strings.Cut(pkg, "/"); !strings.Contains(first, ".") {
		return true
	}
	for _, m := range regexp.MustCompile(`(?m)^(?:require|\t)\s*(\S+) v\S+`).FindAllStringSubmatch(h.mod, -1) {
		rest, ok := strings.CutPrefix(pkg, m[1])
		nested := m[1] == self && (strings.HasPrefix(rest, "/httpclient/") || strings.HasPrefix(rest, "/demo/"))
		if ok && !nested && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

var imported = regexp.MustCompile(`(?m)^\s*(?:import\s+)?(?:\w+ )?"([^"\s]+)"$`)

// Each snippet becomes a package of a module beside this one, is compiled and, with the
// commands, run.
func TestSnippetDoesNotCompileOrFails(t *testing.T) {
	t.Parallel() // with the harness being built
	w := newWorld(t)
	all := make([]*home, len(homes))
	for i, module := range homes {
		all[i] = newHome(t, module)
	}
	seen := 0
	for name, text := range documents(t) {
		for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
			if text[m[2]:m[3]] != "go" {
				continue
			}
			seen++
			at := fmt.Sprintf("%s:%d", name, strings.Count(text[:m[4]], "\n"))
			file := w.replace(program(text[m[4]:m[5]]))
			i := slices.IndexFunc(all, func(h *home) bool {
				head, _, _ := strings.Cut(file, "\n)")
				for _, pkg := range imported.FindAllStringSubmatch(head, -1) {
					if !h.has(pkg[1]) {
						return false
					}
				}
				return true
			})
			if i < 0 {
				t.Errorf("%s: no module has all that it imports", at)
				continue
			}
			pkg := fmt.Sprintf("snippet%d", seen)
			all[i].where[pkg], all[i].text[pkg] = at, file
			all[i].write(t, pkg+"/snippet.go", file)
		}
	}
	if seen < 5 {
		t.Fatalf("only %d snippets found", seen)
	}
	for i, h := range all {
		if len(h.where) == 0 {
			continue
		}
		vet := exec.CommandContext(t.Context(), "go", "vet", "-unusedresult=false", "-unreachable=false", "./...")
		vet.Dir = h.dir
		vet.Env = w.environment
		if out, err := vet.CombinedOutput(); err != nil {
			text := string(out)
			for pkg, at := range h.where {
				text = strings.ReplaceAll(text, pkg+"/snippet.go", at+", snippet")
			}
			t.Errorf("as part of module %q: %v\n%s", homes[i], err, text)
			continue
		}
		if os.Getenv("TIDEGATE_COMMANDS") != "" { // it takes a minute: CI asks for it
			h.run(t, w)
		}
	}
}

// program makes a file of a snippet: a whole one as it is, declarations with what
// surrounds them, and statements as the body of a function.
func program(snippet string) string {
	if strings.HasPrefix(snippet, "package ") {
		return snippet
	}
	body := snippet
	declares := regexp.MustCompile(`(?m)^(func|type) `).MatchString(snippet) ||
		regexp.MustCompile(`(?m)^(var|const) `).MatchString(snippet) && !strings.Contains(snippet, ":=")
	if !declares {
		// Variables may be set and not used: a snippet ends where its point is made.
		used := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^(\w+(?:, \w+)*) :=`).FindAllStringSubmatch(snippet, -1) {
			for name := range strings.SplitSeq(m[1], ", ") {
				used[name] = name != "_"
			}
		}
		for name, is := range used {
			if is {
				body += "\t_ = " + name + "\n"
			}
		}
		if regexp.MustCompile(`\berr\b`).MatchString(snippet) && !used["err"] {
			body = "var err error\n" + body + "\t_ = err\n"
		}
		// It may return an error, of which the rest is then out of reach.
		body = "func Run() error {\n" + body + "\treturn nil\n}\n"
	}
	var file strings.Builder
	file.WriteString("package snippet\n\nimport (\n")
	names := []string{}
	for name := range imports {
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(body + surroundings) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&file, "\t%q\n", imports[name])
	}
	file.WriteString(")\n" + surroundings + "\n" + body)
	if strings.Contains(body, "oauth2.") {
		file.WriteString("\nvar tokens oauth2.TokenSource\n")
	}
	return file.String()
}
