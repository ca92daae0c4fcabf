// Package docs_test checks what the documents say: that their Go compiles, that
// their links lead somewhere, and that the harness knows the flags of its commands.
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

// documents are all that a reader is sent to, from the root of the repository.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "demo/peers/*.md"} {
		names, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			name, err = filepath.Rel("..", name)
			if err != nil {
				t.Fatal(err)
			}
			texts[filepath.ToSlash(name)] = string(text)
		}
	}
	if len(texts) < 5 {
		t.Fatalf("only %d documents found", len(texts))
	}
	return texts
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)\\n(.*?)^```")

// surroundings declares what the snippets take for granted: a program that somebody
// has already.
const surroundings = `
type User struct{}

type database struct{}

func (database) LoadUser(context.Context, int) (User, error) { return User{}, nil }

var (
	ctx    = context.Background()
	db     database
	id     int
	urls   []string
	client = http.DefaultClient
	fetch  = func(context.Context, string) error { return nil }
	l      = limiter.New(limiter.Fixed(1))
)
`

// imports are those that a snippet needs, by the name before the dot.
var imports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "slices": "slices", "time": "time",
	"limiter":    "github.com/tidegate-go/tidegate/limiter",
	"httpclient": "github.com/tidegate-go/tidegate/httpclient",
}

// Each snippet becomes a package of a module beside this one.
func TestSnippetDoesNotCompile(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const self = "github.com/tidegate-go/tidegate"
	write("go.mod", strings.Replace(string(mod), "module "+self, "module snippets", 1)+
		"\nrequire "+self+" v0.0.0\nreplace "+self+" => "+root+"\n")
	write("go.sum", string(sum))
	where := map[string]string{} // of a package: the document and the line
	for name, text := range documents(t) {
		for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
			if text[m[2]:m[3]] != "go" {
				continue
			}
			pkg := fmt.Sprintf("snippet%d", len(where))
			where[pkg] = fmt.Sprintf("%s:%d", name, strings.Count(text[:m[4]], "\n"))
			write(pkg+"/snippet.go", program(text[m[4]:m[5]]))
		}
	}
	if len(where) < 5 {
		t.Fatalf("only %d snippets found", len(where))
	}
	build := exec.CommandContext(t.Context(), "go", "vet", "-unusedresult=false", "./...")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		text := string(out)
		for pkg, at := range where {
			text = strings.ReplaceAll(text, pkg+"/snippet.go", at+", snippet")
		}
		t.Errorf("%v\n%s", err, text)
	}
}

// program makes a file of a snippet: a whole one as it is, declarations with what
// surrounds them, and statements as the body of a function.
func program(snippet string) string {
	if strings.HasPrefix(snippet, "package ") {
		return snippet
	}
	body := snippet
	declares := regexp.MustCompile(`(?m)^(func|type|var|const) `).MatchString(snippet)
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
		body = "func _() {\n" + body + "}\n"
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
	return file.String()
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func TestLinkLeadsNowhere(t *testing.T) {
	texts := documents(t)
	for name, text := range texts {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := name
			if target != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(name), target))
			}
			if _, err := os.Stat(filepath.Join("..", path)); err != nil {
				t.Errorf("%s: %s is not there", name, m[1])
				continue
			}
			if fragment == "" {
				continue
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(texts[path], -1) {
				found = found || anchor(h[1]) == fragment
			}
			if !found {
				t.Errorf("%s: %s has no heading for #%s", name, path, fragment)
			}
		}
	}
}

// Commands stand in fences, a line each, or between backticks, where they may go on
// in the next line.
var (
	fenced = regexp.MustCompile(`go run \./demo([^\n#]*)`)
	inline = regexp.MustCompile("`go run \\./demo([^`]*)`")
)

// commands are the arguments of all commands of a document.
func commands(text string) (all []string) {
	for _, block := range fence.FindAllString(text, -1) {
		for _, m := range fenced.FindAllStringSubmatch(block, -1) {
			all = append(all, m[1])
		}
	}
	for _, m := range inline.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, m[1])
	}
	return all
}

// The harness is asked for its help with each command's flags before it, which it
// reads first: it then fails for one that it does not know.
func TestCommandHasFlagsThatTheHarnessDoesNotKnow(t *testing.T) {
	demo := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", demo, "../demo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seen := 0
	for name, text := range documents(t) {
		for _, command := range commands(text) {
			words := strings.Fields(command)
			if strings.ContainsAny(command, "…<>|") || slices.Contains(words, "S") {
				continue // in the abstract
			}
			for i, w := range words {
				words[i] = strings.Trim(w, "'")
			}
			seen++
			if out, err := exec.CommandContext(t.Context(), demo, append(words, "--help")...).CombinedOutput(); err != nil {
				t.Errorf("%s: go run ./demo%s: %v\n%s", name, command, err, out)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d commands found", seen)
	}
}
