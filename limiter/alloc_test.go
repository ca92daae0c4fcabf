package limiter_test

import (
	"context"
	"testing"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestHotPathAllocates(t *testing.T) {
	ctx := context.Background()
	for name, policy := range policies() {
		l := limiter.New(policy())
		keyed := limiter.NewKeyed(4, func(string) *limiter.Limiter { return l })
		for what, f := range map[string]func(){
			"acquire, report, release": func() {
				p, _ := l.Acquire(ctx)
				p.Report(limiter.Success)
				p.Release()
			},
			"try": func() {
				p, _ := l.TryAcquire()
				p.Release()
			},
			"do": func() {
				_, _ = limiter.Do(ctx, l, func(context.Context) (int, error) { return 1, nil })
			},
			"keyed": func() {
				p, _ := keyed.Acquire(ctx, "host")
				p.Release()
			},
		} {
			if n := testing.AllocsPerRun(2000, f); n != 0 {
				t.Errorf("%s, %s: %v allocations", name, what, n)
			}
		}
	}
}

func policies() map[string]func() limiter.Policy {
	return map[string]func() limiter.Policy{
		"unlimited": limiter.Unlimited,
		"fixed":     func() limiter.Policy { return limiter.Fixed(8) },
		"batch":     func() limiter.Policy { return limiter.Batch(8) },
		"rate":      func() limiter.Policy { return limiter.Rate(1e9, 1e9) },
		"aimd":      func() limiter.Policy { return limiter.AIMD(limiter.AIMDConfig{}) },
		"vegas":     func() limiter.Policy { return limiter.Vegas(limiter.VegasConfig{}) },
		"gradient2": func() limiter.Policy { return limiter.Gradient2(limiter.Gradient2Config{}) },
		"gradient":  func() limiter.Policy { return limiter.Gradient(limiter.GradientConfig{}) },
		"adaptive":  func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) },
		"all": func() limiter.Policy {
			return limiter.All(limiter.Fixed(8), limiter.Rate(1e9, 1e9), limiter.Adaptive(limiter.AdaptiveConfig{}))
		},
	}
}
