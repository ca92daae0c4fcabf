package experiment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

const (
	leastNap  = 50 * time.Millisecond
	mostNap   = 150 * time.Millisecond
	slowShare = 0.05
	slowBy    = 4
)

// Uneven is what the post's tasks are not: of different lengths, as calls are.
// It shows what a batch costs that waits for its slowest task, beside a limit
// that lets the next task start whenever one has ended.
type Uneven struct{ seed uint64 }

var _ Workload = (*Uneven)(nil)

// NewUneven returns the workload. How long a task sleeps follows from the seed
// and its number, so that all policies get the same tasks.
func NewUneven(seed uint64) *Uneven { return &Uneven{seed} }

// Name returns "uneven".
func (u *Uneven) Name() string { return NameUneven }

// About says how long the tasks take.
func (u *Uneven) About() string {
	return fmt.Sprintf("one sleep of %d to %v each, and %.0f %% of them %d times as long",
		leastNap.Milliseconds(), mostNap, 100*slowShare, slowBy)
}

// Law is empty.
func (u *Uneven) Law() string { return "" }

// StandIn reports false.
func (u *Uneven) StandIn() bool { return false }

// DefaultN is a number of tasks that a picture can show one by one.
func (u *Uneven) DefaultN() []int { return []int{100} }

// Floor is the least time that n tasks can take under p.
func (u *Uneven) Floor(n int, p Policy) time.Duration { return floor(p, n, 0, u.nap) }

// Predict reports false.
func (u *Uneven) Predict(int, Policy) (Prediction, bool) { return Prediction{}, false }

// Close does nothing.
func (u *Uneven) Close() error { return nil }

// nap is how long task i sleeps.
func (u *Uneven) nap(i int) time.Duration {
	source := rand.New(rand.NewPCG(u.seed, uint64(i)))
	d := leastNap + time.Duration(source.Float64()*float64(mostNap-leastNap))
	if source.Float64() < slowShare {
		d *= slowBy
	}
	return d
}

func (u *Uneven) suggest(n int) suggestion {
	width := (n + batches - 1) / batches // that of a batch, so that the two can be compared
	// As many starts per second as a limit of that width has on the mean.
	mean := (leastNap + mostNap) / 2 * time.Duration(100*(1+slowShare*(slowBy-1))) / 100
	return suggestion{
		limit: width, rate: math.Max(1, math.Round(float64(width)/mean.Seconds())), burst: max(1, width/4),
		initial: initialLimit, highest: n,
	}
}

func (u *Uneven) options() []limiter.Option            { return nil }
func (u *Uneven) warmUp(context.Context) error         { return nil }
func (u *Uneven) settle(context.Context, *trial) error { return nil }

func (u *Uneven) run(ctx context.Context, t *trial) error {
	t.all(ctx, func(ctx context.Context, i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		time.Sleep(u.nap(i))
		return nil
	})
	return nil
}
