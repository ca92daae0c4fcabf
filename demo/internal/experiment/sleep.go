package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

const (
	naps    = 3
	napTime = 100 * time.Millisecond
)

// ParamSpread is the parameter of runs whose tasks are not as even as the
// post's.
const ParamSpread = "spread"

// Sleep is the post's first experiment: tasks that sleep three times and call
// nobody. It shows what the scheduler alone can bear.
type Sleep struct {
	seed   uint64
	spread float64
}

var _ Workload = (*Sleep)(nil)

// NewSleep returns the workload. Each sleep lasts 0.1 s × (1 ± spread), drawn
// from the seed and the number of the task, so that all policies get the same
// ones; the post's spread is 0.
func NewSleep(seed uint64, spread float64) *Sleep { return &Sleep{seed, spread} }

// Name returns "sleep".
func (s *Sleep) Name() string { return NameSleep }

// About says what the tasks do.
func (s *Sleep) About() string {
	text := fmt.Sprintf("%d sleeps of %v each", naps, napTime)
	if s.spread > 0 {
		text += fmt.Sprintf(" ± %.0f %%", 100*s.spread)
	}
	return text
}

// Law is empty: tasks that sleep need nobody who could give out.
func (s *Sleep) Law() string { return "" }

// StandIn reports false.
func (s *Sleep) StandIn() bool { return false }

// DefaultN are the post's numbers.
func (s *Sleep) DefaultN() []int { return []int{10_000, 100_000} }

// Floor is the least time that n tasks can take under p.
func (s *Sleep) Floor(n int, p Policy) time.Duration {
	return floor(p, n, 0, func(i int) time.Duration {
		var sum time.Duration
		for _, d := range s.naps(i) {
			sum += d
		}
		return sum
	})
}

// Predict reports false.
func (s *Sleep) Predict(int, Policy) (Prediction, bool) { return Prediction{}, false }

// Close does nothing.
func (s *Sleep) Close() error { return nil }

// naps are the sleeps of task i.
func (s *Sleep) naps(i int) (d [naps]time.Duration) {
	if s.spread == 0 {
		return [naps]time.Duration{napTime, napTime, napTime}
	}
	source := rand.New(rand.NewPCG(s.seed, uint64(i)))
	for k := range d {
		d[k] = time.Duration(float64(napTime) * (1 + s.spread*(2*source.Float64()-1)))
	}
	return d
}

func (s *Sleep) suggest(n int) suggestion {
	var params map[string]any
	if s.spread > 0 {
		params = map[string]any{ParamSpread: s.spread}
	}
	return suggestion{
		params: params,
		limit:  (n + batches - 1) / batches, // as wide as a batch, so that the two can be compared
		rate:   float64(n), burst: max(1, n/100),
		// Nobody pushes back here, so a search that starts from 10 has a long way
		// to go: that is what it costs to know nothing.
		initial: initialLimit, highest: n,
	}
}

func (s *Sleep) options() []limiter.Option            { return nil }
func (s *Sleep) warmUp(context.Context) error         { return nil }
func (s *Sleep) settle(context.Context, *trial) error { return nil }

func (s *Sleep) run(ctx context.Context, t *trial) error {
	t.all(ctx, func(ctx context.Context, i int) error {
		for _, d := range s.naps(i) {
			// Not a select on ctx.Done: a hundred thousand tasks would queue
			// up at that one channel, which costs more than the sleep. Looking
			// once between two sleeps ends a run soon enough.
			if err := ctx.Err(); err != nil {
				return err
			}
			time.Sleep(d)
		}
		return nil
	})
	return nil
}
