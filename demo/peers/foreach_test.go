package peers

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"testing"

	"github.com/alitto/pond/v2"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"github.com/tidegate-go/tidegate/limiter"
)

const (
	manyItems = 1_000_000
	atOnce    = 64
)

// One operation is the whole sequence; what counts is the figures per item.
func BenchmarkForEach(b *testing.B) {
	for _, s := range []struct {
		name string
		run  func(items iter.Seq[int]) error
	}{
		{"tidegate", func(items iter.Seq[int]) error {
			return limiter.ForEach(background, limiter.New(limiter.Fixed(atOnce)), items, noOp)
		}},
		{"errgroup-SetLimit", func(items iter.Seq[int]) error {
			g, ctx := errgroup.WithContext(background)
			g.SetLimit(atOnce)
			for i := range items {
				g.Go(func() error { return noOp(ctx, i) })
			}
			return g.Wait()
		}},
		{"sourcegraph-conc-pool", func(items iter.Seq[int]) error {
			p := pool.New().WithMaxGoroutines(atOnce).WithContext(background)
			for i := range items {
				p.Go(func(ctx context.Context) error { return noOp(ctx, i) })
			}
			return p.Wait()
		}},
		{"pond-pool", func(items iter.Seq[int]) error {
			// With the default, no bound on the queue, it would hold all items.
			p := pond.NewPool(atOnce, pond.WithQueueSize(atOnce))
			for i := range items {
				if err := p.Go(func() { _ = noOp(background, i) }); err != nil {
					return err
				}
			}
			return p.Stop().Wait()
		}},
		{"workers-channel", func(items iter.Seq[int]) error {
			work := make(chan int)
			var workers sync.WaitGroup
			for range atOnce {
				workers.Go(func() {
					for i := range work {
						_ = noOp(background, i)
					}
				})
			}
			for i := range items {
				work <- i
			}
			close(work)
			workers.Wait()
			return nil
		}},
	} {
		b.Run(s.name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				must(s.run(count(manyItems)))
			}
			runtime.ReadMemStats(&after)
			items := float64(b.N) * manyItems
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/items, "ns/item")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/items, "B/item")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/items, "allocs/item")
		})
	}
}

func noOp(context.Context, int) error { return nil }

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// Memory does not depend on how many items there are.
func TestForEachIsFlatInMemory(t *testing.T) {
	items := 10_000_000
	if testing.Short() {
		items = 500_000
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, uint64(0)
	sampled := func(yield func(int) bool) {
		for i := range items {
			if i%(items/100) == 0 {
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			if !yield(i) {
				return
			}
		}
	}
	must(limiter.ForEach(background, limiter.New(limiter.Fixed(atOnce)), sampled, noOp))
	// The collector lets garbage grow to 4 MiB before it starts, and some more
	// while it runs; ten million of anything would be at least 80 MB.
	const bound = 16 << 20
	t.Logf("heap: %.1f MB before, %.1f MB at most while %d items ran", mb(before), mb(most), items)
	if most > before+bound {
		t.Errorf("the heap grew to %d bytes from %d, above the bound of %d more", most, before, bound)
	}
}

func mb(bytes uint64) float64 { return float64(bytes) / 1e6 }
