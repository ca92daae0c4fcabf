package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// benchmarks is the package whose test binary is run.
const benchmarks = "github.com/tidegate-go/tidegate/demo/peers"

// An operation is a top-level benchmark, and its sides are what it runs.
type operation struct {
	name  string
	sides []*side
}

// A side is an implementation of an operation, with one value of each metric
// for each round.
type side struct {
	name    string
	metrics map[string][]float64 // by unit, in the base units of benchunit
}

// machine is what a figure depends on besides the code.
type machine struct {
	goos, goarch, cpu string
	modules           []string
}

// binary is the path of the test binary.
type binary string

func build(ctx context.Context) (binary, func(), error) {
	dir, err := os.MkdirTemp("", "tidegate-peers-")
	if err != nil {
		return "", nil, err
	}
	clean := func() { _ = os.RemoveAll(dir) }
	path := filepath.Join(dir, "peers.test")
	if _, err := output(exec.CommandContext(ctx, "go", "test", "-c", "-o", path, benchmarks)); err != nil {
		clean()
		return "", nil, fmt.Errorf("build the benchmarks (run this inside demo/peers): %w", err)
	}
	return binary(path), clean, nil
}

// modules returns the versions of what is compared.
func modules(ctx context.Context) ([]string, error) {
	out, err := output(exec.CommandContext(ctx, "go", "list", "-m",
		"-f", "{{if not (or .Indirect .Main .Replace)}}{{.Path}} {{.Version}}{{end}}", "all"))
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

// output is cmd.Output with what the command complained of as the error.
func output(cmd *exec.Cmd) ([]byte, error) {
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		// A benchmark that panics says so on stdout as well as on stderr.
		err = fmt.Errorf("%w\n%s%s", err, out, exit.Stderr)
	}
	return out, err
}

// bench runs the benchmarks that pattern matches and hands each result to use,
// which must not keep it.
func (b binary) bench(ctx context.Context, pattern, benchtime string, use func(*benchfmt.Result)) error {
	out, err := output(exec.CommandContext(ctx, string(b), "-test.run", "^$",
		"-test.bench", pattern, "-test.benchtime", benchtime, "-test.count", "1", "-test.benchmem"))
	if err != nil {
		return err
	}
	r := benchfmt.NewReader(bytes.NewReader(out), pattern)
	for r.Scan() {
		if result, ok := r.Result().(*benchfmt.Result); ok {
			use(result)
		}
	}
	return r.Err()
}

// list runs everything that matches once, to learn what there is.
func (b binary) list(ctx context.Context, wanted *regexp.Regexp) ([]*operation, machine, error) {
	out, err := output(exec.CommandContext(ctx, string(b), "-test.list", "^Benchmark"))
	if err != nil {
		return nil, machine{}, err
	}
	var ops []*operation
	var about machine
	for _, name := range strings.Fields(string(out)) {
		op := &operation{name: strings.TrimPrefix(name, "Benchmark")}
		if !wanted.MatchString(op.name) {
			continue
		}
		ops = append(ops, op)
		err := b.bench(ctx, "^"+name+"$", "1x", func(r *benchfmt.Result) {
			about.goos, about.goarch, about.cpu = r.GetConfig("goos"), r.GetConfig("goarch"), r.GetConfig("cpu")
			op.sides = append(op.sides, &side{name: sideOf(r.Name), metrics: map[string][]float64{}})
		})
		if err != nil {
			return nil, machine{}, err
		}
	}
	return ops, about, nil
}

// sideOf is the part of a benchmark's name after the slash, without the number
// of processors.
func sideOf(name benchfmt.Name) string {
	_, parts := name.Parts()
	for _, p := range parts {
		if s, ok := strings.CutPrefix(string(p), "/"); ok {
			return s
		}
	}
	return ""
}

// round measures each side once.
func (op *operation) round(ctx context.Context, bin binary, benchtime string, backwards bool) error {
	for i := range op.sides {
		if backwards {
			i = len(op.sides) - 1 - i
		}
		s := op.sides[i]
		pattern := fmt.Sprintf("^Benchmark%s$/^%s$", op.name, regexp.QuoteMeta(s.name))
		found := false
		err := bin.bench(ctx, pattern, benchtime, func(r *benchfmt.Result) {
			found = true
			for _, v := range r.Values {
				s.metrics[v.Unit] = append(s.metrics[v.Unit], v.Value)
			}
		})
		if err == nil && !found {
			err = errors.New("no result")
		}
		if err != nil {
			return fmt.Errorf("%s/%s: %w", op.name, s.name, err)
		}
	}
	return nil
}

// side returns the side of a name, or nil.
func (op *operation) side(name string) *side {
	for _, s := range op.sides {
		if s.name == name {
			return s
		}
	}
	return nil
}
