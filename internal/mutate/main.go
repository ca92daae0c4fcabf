// Command mutate asks whether the tests would notice: it makes one deliberate
// mistake after the other in the engine and the transport, in a copy of the
// repository, and runs the tests of the package. A mistake that no test notices is
// printed, and the exit status is 1 if there are more than one in twenty.
//
//	go run ./internal/mutate            # all of them, some ten minutes on two cores
//	go run ./internal/mutate breaker    # those whose name has that word
//	go run ./internal/mutate -simulated # which of them the simulation notices by itself
//
// The last of these runs internal/simulation in place of those tests, from twelve seeds
// drawn anew for 36 s of virtual time each, and leaves the exit status at 0: much of what
// the engine promises shows in no call.
package main

import (
	"context"
	"flag"
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
	simulated := flag.Bool("simulated", false, "have the simulation notice, and not the tests of the package")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(flag.Args(), " "), *simulated); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// patience is how long the tests of a package may take. A defect that makes them
// hang is noticed, too.
const patience = 2 * time.Minute

func run(ctx context.Context, word string, simulated bool) error {
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
	testsOf := func(d defect) []string { return []string{"-short", d.pkg()} }
	if simulated {
		testsOf = func(defect) []string {
			return []string{"-run", "^TestSomethingThatMustHoldDoesNot$", "-count", "12", "-timeout", "20s", "./internal/simulation", "-hours", "0.01"}
		}
	}
	sound := map[string]bool{}
	for _, d := range chosen {
		args := testsOf(d)
		if key := strings.Join(args, " "); !sound[key] {
			sound[key] = true
			if failed, out := tests(ctx, dir, args); failed && ctx.Err() == nil {
				return fmt.Errorf("go test %s fails without a defect:\n%s", key, out)
			}
		}
	}
	made, survived := 0, 0
	for _, d := range chosen {
		start := time.Now()
		noticed, err := d.noticed(ctx, dir, testsOf(d))
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
	if 20*survived > made && !simulated {
		return fmt.Errorf("%d survived, want at most one in twenty", survived)
	}
	return nil
}

// pkg is the package that the defect is in, and whose tests have to notice it.
func (d *defect) pkg() string { return "./" + path.Dir(d.file) }

// noticed makes the defect, runs the tests, and mends it.
func (d *defect) noticed(ctx context.Context, dir string, by []string) (bool, error) {
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
	// A defect that does not compile says nothing about the tests.
	build := exec.CommandContext(ctx, "go", "build", d.pkg())
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return false, fmt.Errorf("%q does not compile: %s", d.name, out)
	}
	failed, _ := tests(ctx, dir, by)
	return failed, nil
}

// tests runs the tests that args name, and reports whether they fail.
func tests(ctx context.Context, dir string, args []string) (failed bool, output []byte) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-failfast", "-vet=off", "-timeout", "90s"}, args...)...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	output, err := cmd.CombinedOutput()
	return err != nil, output
}
