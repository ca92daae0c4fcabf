package limiter_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/tidegate-go/tidegate/limiter"
)

// The baselines stand beside what they are baselines of, so that one run gives
// the ratio: go test -run '^$' -bench . ./limiter

func BenchmarkAcquireRelease(b *testing.B) {
	ctx := context.Background()
	b.Run("channel", func(b *testing.B) {
		b.ReportAllocs()
		places := make(chan struct{}, 8)
		for b.Loop() {
			places <- struct{}{}
			<-places
		}
	})
	b.Run("clock-twice", func(b *testing.B) { // the floor of a policy that measures latency
		start := time.Now()
		for b.Loop() {
			_ = time.Since(start)
			_ = time.Since(start)
		}
	})
	b.Run("x-time-rate", func(b *testing.B) {
		b.ReportAllocs()
		r := rate.NewLimiter(1e9, 1e9)
		for b.Loop() {
			_ = r.Wait(ctx)
		}
	})
	for _, name := range []string{"unlimited", "fixed", "batch", "rate", "aimd", "vegas", "gradient2", "gradient", "adaptive", "all"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			l := limiter.New(policies()[name]())
			for b.Loop() {
				p, _ := l.Acquire(ctx)
				p.Report(limiter.Success)
				p.Release()
			}
		})
	}
}

func BenchmarkManyForFew(b *testing.B) {
	ctx := context.Background()
	b.Run("channel", func(b *testing.B) {
		places := make(chan struct{}, 2)
		b.SetParallelism(32)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				places <- struct{}{}
				<-places
			}
		})
	})
	b.Run("fixed", func(b *testing.B) {
		l := limiter.New(limiter.Fixed(2))
		b.SetParallelism(32)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				p, _ := l.Acquire(ctx)
				p.Release()
			}
		})
	})
}

func BenchmarkForEach(b *testing.B) {
	b.ReportAllocs()
	_ = limiter.ForEach(context.Background(), limiter.New(limiter.Fixed(64)), count(b.N), func(context.Context, int) error { return nil })
}
