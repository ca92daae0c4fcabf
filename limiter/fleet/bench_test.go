package fleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// BenchmarkShare is what a call pays for its limit being shared: beside the policies
// that do the same for one process.
func BenchmarkShare(b *testing.B) {
	server := miniredis.RunT(b)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	rate := must(fleet.NewRate(fleet.Config{Redis: client, Key: "rate"}, 1e9, 1e9))
	defer rate.Close()
	slots := must(fleet.NewSlots(fleet.Config{Redis: client, Key: "slots", Fallback: 100}, 100))
	defer slots.Close()
	for _, bb := range []struct {
		name   string
		policy limiter.Policy
	}{
		{"rate/local", limiter.Rate(1e9, 1e9)},
		{"rate/share", rate},
		{"slots/local", limiter.Fixed(100)},
		{"slots/share", slots},
	} {
		b.Run(bb.name, func(b *testing.B) {
			l := limiter.New(bb.policy)
			call := func() {
				p, err := l.Acquire(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				p.Done(limiter.Success)
			}
			for began := time.Now(); time.Since(began) < 3*time.Second; {
				call() // until what is in hand is as much as is used
			}
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
