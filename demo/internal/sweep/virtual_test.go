package sweep

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/load/loadtest"
)

// origins are those of the issue: 4, 8, 32 and 64 workers, with and without
// 50 ms of network.
func origins(service time.Duration) []knee.Network {
	var all []knee.Network
	for _, workers := range []int{4, 8, 32, 64} {
		for _, network := range []time.Duration{0, 50 * time.Millisecond} {
			all = append(all, knee.Network{Workers: workers, Service: service, Delay: network})
		}
	}
	return all
}

func virtual(w knee.Network, seed uint64, disturbed float64) *loadtest.Origin {
	return &loadtest.Origin{Network: w, Lag: time.Millisecond, Disturbed: disturbed, Random: rand.New(rand.NewPCG(seed, 7))}
}

// The knee that the arithmetic gives, with the half millisecond by which answers
// are late on average here, must be inside the interval in nine of ten sweeps.
func TestTheTrueKneeIsInsideTheInterval(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 4
	}
	for _, service := range []time.Duration{10 * time.Millisecond, 40 * time.Millisecond} {
		for _, disturbed := range []float64{0, 0.1} {
			for _, w := range origins(service) {
				t.Run(fmt.Sprintf("%d workers x %v, network %v, disturbed %v", w.Workers, service, w.Delay, disturbed), func(t *testing.T) {
					t.Parallel()
					here := w
					here.Delay += time.Millisecond / 2
					bare, held, width, measurements := 0, 0, 0.0, 0
					for seed := range seeds {
						r, err := Run(t.Context(), virtual(w, seed, disturbed), Config{Seed: seed})
						if err != nil || r.Knee == nil {
							t.Fatalf("seed %d: %v", seed, err)
						}
						k := r.Knee
						if k.From <= w.Knee() && w.Knee() <= k.To {
							bare++
						}
						if k.From <= here.Knee() && here.Knee() <= k.To {
							held++
						} else {
							t.Logf("seed %d: %+v, the knee is %d", seed, *k, here.Knee())
						}
						width += float64(k.To-k.From) / float64(here.Knee()) / float64(seeds)
						measurements += len(r.Measurements)
					}
					t.Logf("knee %d (%d with the lag): inside %d (%d) of %d; mean width %.0f %%, %d measurements",
						w.Knee(), here.Knee(), bare, held, seeds, 100*width, measurements/int(seeds))
					if float64(held) < 0.9*float64(seeds)-0.5 {
						t.Errorf("inside in %d of %d", held, seeds)
					}
					// An interval of everything would be right, too.
					if width > 0.5 && width*float64(here.Knee()) > 5 {
						t.Errorf("the intervals are %.0f %% of the knee wide", 100*width)
					}
				})
			}
		}
	}
}

func TestAnInterruptKeepsWhatHasBeenMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	made := 0
	r, err := Run(ctx, virtual(origins(10 * time.Millisecond)[2], 1, 0), Config{Measured: func(string, load.Measurement) {
		if made++; made == 7 {
			cancel()
		}
	}})
	if err != nil || !r.Interrupted || len(r.Measurements) != 7 || r.Knee == nil || len(r.Points) != 7 {
		t.Errorf("%v, %d measurements, interrupted %v", err, len(r.Measurements), r.Interrupted)
	}
}

func TestAnOriginThatAnswersNobodyIsAnError(t *testing.T) {
	o := virtual(origins(10 * time.Millisecond)[0], 1, 0)
	o.Timeout = time.Millisecond
	r, err := Run(t.Context(), o, Config{})
	if !errors.Is(err, ErrNoAnswer) || r.Knee != nil {
		t.Errorf("%v, %+v", err, r.Knee)
	}
}

func TestTheLargestLimitIsNeverExceeded(t *testing.T) {
	r, err := Run(t.Context(), virtual(origins(10 * time.Millisecond)[7], 1, 0), Config{Max: 50, Rounds: 2})
	if err != nil || r.Knee == nil || !r.Knee.Open {
		t.Fatalf("%v, %+v", err, r.Knee)
	}
	for _, m := range r.Measurements {
		if m.Limit > 50 {
			t.Errorf("measured with %d", m.Limit)
		}
	}
}

func TestTimeoutsMakeACollapse(t *testing.T) {
	o := virtual(knee.Network{Workers: 8, Service: 10 * time.Millisecond}, 1, 0)
	o.Timeout = 50 * time.Millisecond // more than 40 in flight have no answer in time
	r, err := Run(t.Context(), o, Config{})
	if err != nil || r.Regions == nil || r.Regions.CollapseFrom != 64 || r.Regions.FlatTo != 32 {
		t.Errorf("%v, %+v", err, r.Regions)
	}
}

func TestTheSameSeedGivesTheSameSweep(t *testing.T) {
	one, _ := Run(t.Context(), virtual(origins(10 * time.Millisecond)[3], 5, 0.1), Config{Seed: 3})
	two, _ := Run(t.Context(), virtual(origins(10 * time.Millisecond)[3], 5, 0.1), Config{Seed: 3})
	if fmt.Sprint(one.Measurements) != fmt.Sprint(two.Measurements) || *one.Knee != *two.Knee {
		t.Error("two sweeps with the same seed differ")
	}
}

func TestAWrongConfigSaysWhatIsValid(t *testing.T) {
	for _, c := range []Config{{Max: 3}, {Rounds: -1}, {Window: -1}} {
		if _, err := Run(t.Context(), virtual(origins(time.Millisecond)[0], 1, 0), c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}
