package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// TestMain lets the test binary stand in for the command, so that a test can have a
// process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("REPLAY_IS_THE_COMMAND") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

var built = sync.OnceValues(func() (*machine, error) { return newMachine(context.Background(), "../..") })

func machineOf(t *testing.T) *machine {
	m, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var howMany = flag.Int("seeds", 20, "how many `seeds` are each played twice")

// shortly is what it takes for some three hundred calls and every kind of fault.
const shortly = 0.01

func TestSeedGivesAnotherHistory(t *testing.T) {
	m := machineOf(t)
	var seeds []uint64
	for range *howMany {
		seeds = append(seeds, rand.Uint64())
	}
	var mu sync.Mutex
	histories := map[string]bool{}
	t.Run("twice", func(t *testing.T) {
		for _, seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				first, err := m.play(t.Context(), seed, shortly)
				if err != nil {
					t.Errorf("%v\n%s%s", err, first, keep(seed, shortly))
				}
				if second, _ := m.play(t.Context(), seed, shortly); first != second {
					t.Errorf("once:\n%s\nand once:\n%s", first, second)
				}
				mu.Lock()
				defer mu.Unlock()
				_, history, _ := strings.Cut(first, "; history ")
				histories[history] = true
			})
		}
	})
	if len(histories) != len(seeds) {
		t.Errorf("%d seeds gave %d histories", len(seeds), len(histories))
	}

	first, _ := m.play(t.Context(), seeds[0], shortly)
	other := exec.Command(os.Args[0], "-seed", fmt.Sprint(seeds[0]), "-hours", fmt.Sprint(shortly))
	other.Env = append(os.Environ(), "REPLAY_IS_THE_COMMAND=1")
	if second, err := other.Output(); err != nil || first != string(second) {
		t.Errorf("here:\n%s\nand in another process (%v):\n%s", first, err, second)
	}
}

// Half an hour from a seed drawn anew, which can be had again.
func TestSomethingThatMustHoldDoesNot(t *testing.T) {
	seed, hours := rand.Uint64(), 0.5
	if testing.Short() {
		hours /= 10
	}
	output, err := machineOf(t).play(t.Context(), seed, hours)
	t.Log(output)
	if err != nil {
		t.Errorf("%v\n%s", err, keep(seed, hours))
	}
}

func TestOldDefectIsBack(t *testing.T) {
	m := machineOf(t)
	text, err := os.ReadFile("../simulation/regressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var seed uint64
		var hours float64
		if _, err := fmt.Sscan(line, &seed, &hours); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if output, err := m.play(t.Context(), seed, hours); err != nil {
			t.Errorf("%s%v\n%s", line, err, output)
		}
	}
}
