// Command mutate asks whether the tests would notice: it makes one deliberate
// mistake after the other in the engine and the transport, in a copy of the
// repository, and runs the tests of the package. A mistake that no test notices is
// printed, and the exit status is 1 if there are more than one in twenty.
//
//	go run ./internal/mutate            # all of them, some ten minutes on two cores
//	go run ./internal/mutate breaker    # those whose name has that word
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// patience is how long the tests of a package may take. A defect that makes them
// hang is noticed, too.
const patience = 2 * time.Minute

func run(ctx context.Context, word string) error {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, part := range []string{"go.mod", "go.sum", "limiter", "httpclient", "internal"} {
		if out, err := exec.CommandContext(ctx, "cp", "-r", part, dir).CombinedOutput(); err != nil {
			return fmt.Errorf("run it in the root of the repository: %w: %s", err, out)
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(defects), func(d defect) bool { return !strings.Contains(d.name, word) })
	if len(chosen) == 0 {
		return fmt.Errorf("no defect has %q in its name", word)
	}
	for _, pkg := range []string{"./limiter", "./httpclient", "./internal/perkey"} {
		if !slices.ContainsFunc(chosen, func(d defect) bool { return d.pkg() == pkg }) {
			continue
		}
		if failed, out := tests(ctx, dir, pkg); failed && ctx.Err() == nil {
			return fmt.Errorf("the tests of %s fail without a defect:\n%s", pkg, out)
		}
	}
	made, survived := 0, 0
	for _, d := range chosen {
		start := time.Now()
		noticed, err := d.noticed(ctx, dir)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		made++
		verdict := "noticed "
		if !noticed {
			verdict = "SURVIVED"
			survived++
		}
		fmt.Printf("%s  %5.1f s  %s: %s\n", verdict, time.Since(start).Seconds(), d.file, d.name)
	}
	fmt.Printf("%d of %d defects noticed\n", made-survived, made)
	if 20*survived > made {
		return fmt.Errorf("%d survived, want at most one in twenty", survived)
	}
	return nil
}

// pkg is the package that the defect is in, and whose tests have to notice it.
func (d *defect) pkg() string { return "./" + path.Dir(d.file) }

// noticed makes the defect, runs the tests, and mends it.
func (d *defect) noticed(ctx context.Context, dir string) (bool, error) {
	file := filepath.Join(dir, filepath.FromSlash(d.file))
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	if n := strings.Count(string(text), d.from); n != 1 {
		return false, fmt.Errorf("%q: what it replaces is %d times in %s, want once", d.name, n, d.file)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), d.from, d.to, 1)), 0o600); err != nil {
		return false, err
	}
	defer os.WriteFile(file, text, 0o600) // in a directory that is thrown away
	pkg := d.pkg()
	// A defect that does not compile says nothing about the tests.
	build := exec.CommandContext(ctx, "go", "build", pkg)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return false, fmt.Errorf("%q does not compile: %s", d.name, out)
	}
	failed, _ := tests(ctx, dir, pkg)
	return failed, nil
}

// tests runs the tests of a package, and reports whether they fail.
func tests(ctx context.Context, dir, pkg string) (failed bool, output []byte) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-short", "-failfast", "-vet=off", "-timeout", "90s", pkg)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	output, err := cmd.CombinedOutput()
	return err != nil, output
}
