// Command replay plays the simulation of internal/simulation so that a seed gives the
// same history each time, to the last byte, on any computer.
//
//	cd internal/replay
//	go run .                              an hour, from a seed drawn anew
//	go run . -seed 7 -hours 0.05          that seed, for three minutes of virtual time
//	go run . -seed 7 -of /tmp/old         with the code of another directory
//
// In a test that Go runs as usual something is left to chance that no test can reach:
// which way a select goes when two things come at the same moment, the order of a map,
// which of two timers of the same moment is first, when the garbage collector comes, and
// when a goroutine that the computer has not let run for 10 ms has to stand back. So the
// simulation is built for WebAssembly, where a program has one thread and gets its time
// and all its chance from outside: here from a clock that counts how often it is read and
// from the seed.
//
// A seed that shows a defect goes as a line into internal/simulation/regressions.txt, and
// is then played by each run of the tests. What it showed it still shows with the code
// of that day: git worktree add /tmp/old COMMIT, and -of /tmp/old.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
)

func main() {
	seed := flag.Uint64("seed", 0, "`number` that all chance follows from; 0 draws one")
	hours := flag.Float64("hours", 1, "how long it lasts, in virtual time")
	of := flag.String("of", "../..", "`directory` of the repository whose code is played")
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	ctx := context.Background()
	m, err := newMachine(ctx, *of)
	if err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(2)
	}
	defer m.close(ctx)
	output, err := m.play(ctx, *seed, *hours)
	fmt.Print(output)
	if err != nil {
		fmt.Fprintf(os.Stderr, "replay: %v\n%s", err, keep(*seed, *hours))
		os.Exit(1)
	}
}

// keep says what to do with a seed that has shown something.
func keep(seed uint64, hours float64) string {
	return fmt.Sprintf("again:   cd internal/replay && go run . -seed %d -hours %g\nto keep: echo '%d %g what it showed' >>internal/simulation/regressions.txt\n",
		seed, hours, seed, hours)
}
