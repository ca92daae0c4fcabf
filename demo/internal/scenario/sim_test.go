package scenario

import (
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

func single(s Setting, long time.Duration) *World {
	return &World{Name: "test", Phases: []Phase{{Long: 10 * time.Second, Setting: s, Ungraded: true}, {Long: long, Setting: s}}}
}

func TestSpeed(t *testing.T) {
	s := Setting{
		Server:  Server{Workers: 20, Service: Lognormal(20*time.Millisecond, 0.5)},
		Clients: []Client{{Callers: 300, Timeout: time.Second, Path: 5 * time.Millisecond}},
	}
	for _, n := range []int{20, 27, 100, 0} {
		m := newSimulation(single(s, 600*time.Second), 1, false, func(int) limiter.Policy {
			if n == 0 {
				return limiter.Adaptive(limiter.AdaptiveConfig{})
			}
			return limiter.Fixed(n)
		})
		begin := time.Now()
		m.run()
		d := time.Since(begin)
		p := m.seen.phases[1]
		t.Logf("%d: %.1f/s p50 %v p99 %v, %d events, %.2f M/s; %+v", n, p.goodput(), p.quantile(50), p.quantile(99), m.events, float64(m.events)/d.Seconds()/1e6, p.counts)
	}
}
