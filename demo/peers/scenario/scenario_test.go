package scenario

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

var (
	scenarios = flag.String("scenario", "", "`names`, globs or groups of the scenarios to play, with commas between them, or all")
	policies  = flag.String("policy", "tidegate,failsafe,gocl-vegas,gocl-gradient2,gocl-aimd",
		"`names` of the limiters, with commas between them; those of go run ./demo scenario --list are simulated")
	seeds = flag.Int("seeds", 1, "how many seeds to play, from -seed on")
	seed  = flag.Uint64("seed", 1, "`number` that all chance follows from")
)

// The table that is asked for by -scenario.
func TestScenarios(t *testing.T) {
	if *scenarios == "" {
		t.Skip("choose some: -scenario study, for example")
	}
	worlds, err := scenario.Match(strings.Split(*scenarios, ","))
	if err != nil {
		t.Fatal(err)
	}
	results := play(t, worlds, strings.Split(*policies, ","))
	report.ScenarioTables(os.Stdout, report.StyleOf(os.Stdout), report.NewScenarioDocument(results, false), 0)
}

// play plays the worlds, as many at a time as -parallel says.
func play(t *testing.T, worlds []*scenario.World, names []string) []*scenario.Result {
	lab := scenario.NewLab()
	results := make([]*scenario.Result, len(worlds)*len(names)**seeds)
	t.Run("play", func(t *testing.T) {
		i := 0
		for _, w := range worlds {
			for s := range *seeds {
				for _, name := range names {
					run, seed := runner(t, lab, name), *seed+uint64(s)
					at := &results[i]
					i++
					t.Run(fmt.Sprintf("%s/%s/%d", w.Name, name, seed), func(t *testing.T) {
						t.Parallel()
						*at = run(t, w, seed)
					})
				}
			}
		}
	})
	return results
}

// runner returns what plays a world with a limiter of that name.
func runner(t *testing.T, lab *scenario.Lab, name string) func(*testing.T, *scenario.World, uint64) *scenario.Result {
	for _, m := range makers {
		if m.Name == name {
			return func(t *testing.T, w *scenario.World, seed uint64) *scenario.Result {
				return lab.Play(w, m, seed, func(play func(settle func())) {
					synctest.Test(t, func(*testing.T) { play(synctest.Wait) })
				})
			}
		}
	}
	m, err := scenario.MakerOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return func(_ *testing.T, w *scenario.World, seed uint64) *scenario.Result { return lab.Run(w, m, seed) }
}

// A rival that does not run must not go unnoticed: nor one that never lets a call
// in, or keeps a goroutine when all is over.
func TestRivalDoesNotPlay(t *testing.T) {
	steady, ok := scenario.Named("steady")
	if !ok {
		t.Fatal("no scenario steady")
	}
	short := *steady
	short.Phases = slices.Clone(steady.Phases)
	short.Phases[0].Long /= 6
	var names []string
	for _, m := range makers {
		names = append(names, m.Name)
	}
	for _, r := range play(t, []*scenario.World{&short}, names) {
		p := r.Phases[0]
		if p.Share < 0.5 || p.Lost > 0.01 || p.Limit.End < 2 {
			t.Errorf("%s: %.2f of the oracle's goodput, %.2f lost, limit %d", r.Policy, p.Share, p.Lost, p.Limit.End)
		}
	}
}
