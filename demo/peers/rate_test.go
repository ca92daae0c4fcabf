package peers

import (
	"testing"
	"time"

	uber "go.uber.org/ratelimit"
	"golang.org/x/time/rate"

	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"github.com/tidegate-go/tidegate/limiter"
)

// A rate so high that nobody waits: the price of asking.
func BenchmarkRate(b *testing.B) {
	compare(b, alone, []side{
		{"tidegate", func(load) func(int) {
			lim := limiter.New(limiter.Rate(1e9, 1e9))
			return func(n int) {
				for range n {
					p, err := lim.Acquire(background)
					must(err)
					p.Release()
				}
			}
		}},
		{"x-time-rate", func(load) func(int) {
			lim := rate.NewLimiter(1e9, 1e9)
			return func(n int) {
				for range n {
					must(lim.Wait(background))
				}
			}
		}},
		{"uber-ratelimit", func(load) func(int) {
			lim := uber.New(1e9)
			return func(n int) {
				for range n {
					lim.Take()
				}
			}
		}},
		{"failsafe-go-ratelimiter", func(load) func(int) {
			lim := ratelimiter.NewSmooth[any](1e9, time.Second)
			return func(n int) {
				for range n {
					must(lim.AcquirePermit(background))
				}
			}
		}},
	})
}
