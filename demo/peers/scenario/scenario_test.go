package scenario

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

var (
	scenarios = flag.String("scenario", "", "`names`, globs or groups of the scenarios to play, with commas between them, or all")
	policies  = flag.String("policy", strings.Join(names(), ","),
		"`names` of the limiters, with commas between them; those of go run ./demo scenario --list are simulated")
	seeds = flag.Int("seeds", 1, "how many seeds to play, from -seed on")
	seed  = flag.Uint64("seed", 1, "`number` that all chance follows from")
)

func names() (all []string) {
	for _, m := range limiters {
		all = append(all, m.Name)
	}
	return all
}

// TestTable prints what -scenario asks for.
func TestTable(t *testing.T) {
	if *scenarios == "" {
		t.Skip("prints the table of the scenarios that -scenario names")
	}
	worlds, err := scenario.Match(strings.Split(*scenarios, ","))
	if err != nil {
		t.Fatal(err)
	}
	results := play(t, worlds, strings.Split(*policies, ","), *seed, *seeds)
	report.ScenarioTables(os.Stdout, report.StyleOf(os.Stdout), report.NewScenarioDocument(results, false), 0)
}

// play plays the worlds, as many at a time as -parallel says.
func play(t *testing.T, worlds []*scenario.World, policies []string, first uint64, seeds int) []*scenario.Result {
	lab := scenario.NewLab()
	results := make([]*scenario.Result, 0, len(worlds)*len(policies)*seeds)
	t.Run("play", func(t *testing.T) {
		for _, w := range worlds {
			for seed := first; seed < first+uint64(seeds); seed++ {
				for _, name := range policies {
					results = append(results, nil)
					result := &results[len(results)-1]
					t.Run(fmt.Sprintf("%s/%s/%d", w.Name, name, seed), func(t *testing.T) {
						t.Parallel()
						*result = playOne(t, lab, w, name, seed)
					})
				}
			}
		}
	})
	return results
}

// playOne plays a world with the limiter of that name, or simulates it with the
// policy of that name.
func playOne(t *testing.T, lab *scenario.Lab, w *scenario.World, name string, seed uint64) (r *scenario.Result) {
	for _, m := range limiters {
		if m.Name == name {
			synctest.Test(t, func(*testing.T) { r = lab.Play(w, m, seed, synctest.Wait) })
			return r
		}
	}
	m, err := scenario.MakerOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return lab.Run(w, m, seed)
}

// short returns a world with its phases cut to at most that.
func short(t *testing.T, name string, most time.Duration) *scenario.World {
	w, ok := scenario.Named(name)
	if !ok {
		t.Fatal("no scenario " + name)
	}
	cut := *w
	cut.Phases = slices.Clone(w.Phases)
	for i := range cut.Phases {
		cut.Phases[i].Long = min(cut.Phases[i].Long, most)
	}
	return &cut
}

// A rival that does not run must not go unnoticed: nor one that never lets a call
// in, or keeps a goroutine when all is over (synctest sees that).
func TestRivalDoesNotPlay(t *testing.T) {
	for _, r := range play(t, []*scenario.World{short(t, "steady", 10*time.Second)}, names(), 1, 1) {
		p := r.Phases[0]
		if p.Share < 0.5 || p.Lost > 0.01 || p.Limit.End < 2 {
			t.Errorf("%s: %.2f of the oracle's goodput, %.2f lost, limit %d", r.Policy, p.Share, p.Lost, p.Limit.End)
		}
	}
}

// Ours is simulated in all tables but these. It must not be another one there: more
// than a chance of a nanosecond, from which a Limiter's clock starts, must not tell
// them apart.
func TestOursIsNotTheSimulated(t *testing.T) {
	worlds := []*scenario.World{short(t, "step", 15*time.Second), short(t, "quota429", 15*time.Second)}
	results := play(t, worlds, []string{"tidegate", "adaptive"}, 1, 1)
	for i := 0; i < len(results); i += 2 {
		for k, real := range results[i].Phases {
			simulated := results[i+1].Phases[k]
			far := func(a, b float64) bool { return math.Abs(a-b) > 0.01*math.Max(a, b) }
			if far(real.Goodput, simulated.Goodput) || far(real.Mean.Seconds(), simulated.Mean.Seconds()) || far(real.Limit.Mean, simulated.Limit.Mean) {
				t.Errorf("%s/%s: goodput %.1f/s, simulated %.1f; latency %v, simulated %v; limit %.1f, simulated %.1f", results[i].World, real.Name,
					real.Goodput, simulated.Goodput, real.Mean, simulated.Mean, real.Limit.Mean, simulated.Limit.Mean)
			}
		}
	}
}
