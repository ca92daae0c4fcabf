package limiter_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/tidegate-go/tidegate/limiter"
)

// A configuration is obeyed or refused, with an error that names the field: there is no
// third way.
func FuzzConstructorTakesWhatItCannotObey(f *testing.F) {
	f.Add(uint8(0), 10, 1, 1000, 0.5, int64(time.Second))
	f.Add(uint8(1), -1, 5, 3, math.NaN(), int64(-1))
	f.Add(uint8(2), math.MaxInt, math.MinInt, 0, math.Inf(1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, which uint8, a, b, c int, x float64, d int64) {
		var p limiter.Policy
		least, most := 0, math.MaxInt
		bounds := func(lowest, highest int) {
			// What is zero has a default, which gives way to what is given.
			if b > 0 {
				lowest = b
			}
			if c > 0 {
				highest = c
			}
			least, most = min(lowest, lowest), max(highest, lowest)
			if a > 0 {
				least, most = min(least, a), max(most, a)
			}
		}
		if refused(t, func() {
			switch which % 8 {
			case 0:
				p = limiter.Adaptive(limiter.AdaptiveConfig{Initial: a, Min: b, Max: c, Eagerness: x})
				bounds(1, 1000)
			case 1:
				p = limiter.AIMD(limiter.AIMDConfig{Initial: a, Min: b, Max: c, Backoff: x, Timeout: time.Duration(d)})
				bounds(1, 200)
			case 2:
				p = limiter.Vegas(limiter.VegasConfig{Initial: a, Min: b, Max: c, Smoothing: x, Seed: uint64(d)})
				bounds(1, 1000)
			case 3:
				p = limiter.Gradient2(limiter.Gradient2Config{Initial: a, Min: b, Max: c, Tolerance: x, Queue: int(d), Window: time.Duration(d)})
				bounds(1, 200)
			case 4:
				p = limiter.Gradient(limiter.GradientConfig{Min: b, Max: c, Buffer: x, Update: time.Duration(d)})
				bounds(1, 1000)
			case 5:
				p = limiter.Rate(rate.Limit(x), a)
			case 6:
				p = limiter.Batch(a)
			default:
				p = limiter.Fixed(a)
			}
		}) {
			return
		}
		state := limiter.State{Now: time.Second, Queued: 1}
		limit, wait := p.Next(state)
		if limit < least || limit > most || wait < 0 || limit < 1 && wait == 0 {
			t.Errorf("%T says (%d, %v), want a limit from %d to %d", p, limit, wait, least, most)
		}
		p.Start(state)
		p.Report(limiter.State{Now: 2 * time.Second, InFlight: 1}, limiter.Result{Outcome: limiter.Success, Latency: time.Second})
		refused(t, func() {
			limiter.New(p, limiter.MaxQueue(a), limiter.MaxWait(time.Duration(d)), limiter.MaxPause(time.Duration(d)))
		})
	})
}

// refused reports whether f panics with a ConfigError that says all it has to.
func refused(t *testing.T, f func()) (yes bool) {
	t.Helper()
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *limiter.ConfigError:
			if yes = true; p.Error() == "" || !errors.As(p, new(*limiter.ConfigError)) {
				t.Errorf("%+v", p)
			}
		default:
			t.Errorf("it panics with %v", p)
			yes = true
		}
	}()
	f()
	return false
}
