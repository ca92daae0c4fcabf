package knee_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/load/loadtest"
)

// mva is the textbook recursion for one station with one server and a delay
// (Reiser and Lavenberg, 1980), which is exact for exponential service times.
func mva(n int, s, d float64) float64 {
	queue, x := 0.0, 0.0
	for i := 1; i <= n; i++ {
		r := s * (1 + queue)
		x = float64(i) / (r + d)
		queue = x * r
	}
	return x
}

func TestGoodputIsThatOfMeanValueAnalysis(t *testing.T) {
	w := knee.Network{Workers: 1, Service: 10 * time.Millisecond, Delay: 50 * time.Millisecond, Exponential: true}
	for _, n := range []int{1, 2, 5, 6, 7, 20, 100, 500} {
		if got, want := w.Goodput(n), mva(n, 0.010, 0.050); math.Abs(got-want) > 1e-9*want {
			t.Errorf("%d callers: %v/s, want %v/s", n, got, want)
		}
	}
}

// The oracle against a simulation of what it is about, of both kinds.
func TestGoodputIsThatOfASimulation(t *testing.T) {
	for _, w := range []knee.Network{
		{Workers: 4, Service: 10 * time.Millisecond},
		{Workers: 8, Service: 10 * time.Millisecond, Delay: 50 * time.Millisecond},
		{Workers: 4, Service: 10 * time.Millisecond, Delay: 50 * time.Millisecond, Exponential: true},
		{Workers: 32, Service: 40 * time.Millisecond, Delay: 50 * time.Millisecond, Exponential: true},
	} {
		o := &loadtest.Origin{Network: w, Random: rand.New(rand.NewPCG(1, 2))}
		for _, n := range []int{1, w.Workers, w.Knee() - 1, w.Knee(), 3 * w.Knee()} {
			m, err := o.Measure(t.Context(), load.Trial{Limit: n, Warm: 5 * time.Second, Window: 60 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			tolerance := 0.002
			if w.Exponential {
				tolerance = 0.03
			}
			if want := w.Goodput(n); math.Abs(m.Goodput-want) > tolerance*want {
				t.Errorf("%+v, %d callers: %.1f/s in the simulation, %.1f/s by theory", w, n, m.Goodput, want)
			}
		}
	}
}

func TestTheTrueKnee(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		w    knee.Network
		want int
	}{
		// 0.95 × K × (S + D) / S, rounded up.
		{knee.Network{Workers: 4, Service: 10 * ms}, 4},
		{knee.Network{Workers: 8, Service: 10 * ms}, 8},
		{knee.Network{Workers: 32, Service: 10 * ms}, 31},
		{knee.Network{Workers: 64, Service: 10 * ms}, 61},
		{knee.Network{Workers: 4, Service: 10 * ms, Delay: 50 * ms}, 23},
		{knee.Network{Workers: 8, Service: 10 * ms, Delay: 50 * ms}, 46},
		{knee.Network{Workers: 64, Service: 10 * ms, Delay: 50 * ms}, 365},
		{knee.Network{Workers: 20, Service: 10 * ms}, 19}, // 19 exactly, no rounding
		{knee.Network{Workers: 8, Service: 10 * ms, Quota: 400}, 4},
	} {
		if got := tt.w.Knee(); got != tt.want {
			t.Errorf("%+v: %d, want %d", tt.w, got, tt.want)
		}
		if x := tt.w.Goodput(tt.want - 1); x >= 0.95*tt.w.Capacity() {
			t.Errorf("%+v: one fewer is enough", tt.w)
		}
	}
	// Varying service times make calls wait for each other: more are needed.
	even := knee.Network{Workers: 8, Service: 10 * ms, Delay: 50 * ms}
	uneven := even
	uneven.Exponential = true
	if even.Knee() >= uneven.Knee() || uneven.Knee() > 2*even.Knee() {
		t.Errorf("%d with even and %d with exponential service times", even.Knee(), uneven.Knee())
	}
}
