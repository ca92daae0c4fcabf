package scenario

import (
	"math"
	"testing"
	"time"
)

// quickEffort is enough for servers of little chance.
var quickEffort = effort{1_000, 6_000, 15_000}

func quickLab() *Lab { return &Lab{oracles: oracles{effort: quickEffort}} }

// Without a path and without chance the best limit is the number of workers;
// with a path it is what Little's law says.
func TestOracleIsNotTheBestFixedLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		s    Setting
		want [2]int // from, to
	}{
		{"10 workers", Setting{Server: Server{Workers: 10, Service: Constant(10 * ms)}, Clients: []Client{{Callers: 100}}}, [2]int{10, 10}},
		{"1 worker", Setting{Server: Server{Workers: 1, Service: Exponential(10 * ms)}, Clients: []Client{{Callers: 100}}}, [2]int{1, 1}},
		// 10 workers / 10 ms × 60 ms = 60, less 2 %.
		{"a long path", Setting{Server: Server{Workers: 10, Service: Constant(10 * ms)}, Clients: []Client{{Callers: 300, Path: 50 * ms}}}, [2]int{58, 60}},
		// The greatest of N/(1+σ(N-1)+κN(N-1)) is at √((1-σ)/κ) = 30, and flat.
		{"contention", Setting{Server: Server{Kind: Sharing, Service: Exponential(10 * ms), Sigma: 0.1, Kappa: 0.001}, Clients: []Client{{Callers: 300}}}, [2]int{18, 27}},
		{"no knee", Setting{Server: Server{Kind: Sharing, Service: Exponential(10 * ms), Sigma: 0.05}, Clients: []Client{{Callers: 300}}}, [2]int{38, 38}},
		{"an idle server", Setting{Server: Server{Workers: 100, Service: Constant(10 * ms)}, Clients: []Client{{Callers: 3}}}, [2]int{3, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &Phase{Setting: tt.s, Long: time.Minute}
			o := quickLab().Oracle(p)
			if o.Limit < tt.want[0] || o.Limit > tt.want[1] {
				t.Errorf("limit %d, want %d to %d: %+v", o.Limit, tt.want[0], tt.want[1], o)
			}
		})
	}
}

// What the search finds by halving must be what trying every limit finds.
func TestOracleSearchMissesTheSmallestLimit(t *testing.T) {
	t.Parallel()
	s := Setting{
		Server:  Server{Workers: 5, Service: Lognormal(10*ms, 1)},
		Clients: []Client{{Callers: 40, Path: 10 * ms, Timeout: 500 * ms}},
	}
	p := &Phase{Setting: s}
	best, goodput := 0.0, []float64{0}
	for n := 1; n <= 40; n++ {
		goodput = append(goodput, trial(p, n, quickEffort.fine).goodput())
		best = math.Max(best, goodput[n])
	}
	want := 1
	for goodput[want] < within*best {
		want++
	}
	if got := quickLab().Oracle(p).Limit; got < want-1 || got > want+1 {
		t.Errorf("limit %d, want %d; goodput by limit %.0f", got, want, goodput)
	}
}

// A policy that does what the oracle does must look like the oracle.
func TestOracleDisagreesWithItself(t *testing.T) {
	t.Parallel()
	lab := quickLab()
	m := mustMake(t, "oracle")
	for _, name := range []string{"step", "timeouts"} {
		w := mustName(t, name)
		for _, p := range lab.Run(w, m, 3).Phases {
			if !p.Graded {
				continue
			}
			if math.Abs(p.Share-1) > 0.005 || math.Abs(p.P50x-1) > 0.02 || !p.Converged {
				t.Errorf("%s/%s: goodput %.3f, p50 × %.3f, converged %v", name, p.Name, p.Share, p.P50x, p.Converged)
			}
			// And the chance of one run is not far from that of the oracle.
			near(t, name+"/"+p.Name+" goodput", p.Goodput, p.Oracle.Goodput, 0.05)
		}
	}
}

// Fair shares: what one cannot use goes to the others.
func TestFairSharesAreNotFair(t *testing.T) {
	t.Parallel()
	s := &Setting{Clients: []Client{{Callers: 2}, {Callers: 1000}, {Callers: 1000}, {Absent: true, Callers: 9}, {Rate: 50}}}
	o := Oracle{Goodput: 1000, Mean: 100 * time.Millisecond}
	got := fair(s, o)
	for i, want := range []float64{20, 465, 465, 0, 50} {
		near(t, "share", got[i]+1, want+1, 1e-9)
	}
}

func TestConvergenceIsSeenTooSoonOrTooLate(t *testing.T) {
	t.Parallel()
	o := Oracle{Goodput: 1000, Mean: 10 * time.Millisecond}
	course := func(good func(i int) bool) *seen {
		s := &seen{}
		for i := range 200 {
			b := bin{done: 100, latency: 100 * 10 * time.Millisecond}
			if !good(i) {
				b = bin{done: 50, latency: 50 * 10 * time.Millisecond}
			}
			s.bins = append(s.bins, b)
		}
		return s
	}
	for _, tt := range []struct {
		name string
		good func(i int) bool
		want float64
		ok   bool
	}{
		{"at once", func(int) bool { return true }, 0, true},
		{"never", func(int) bool { return false }, 0, false},
		{"after 5 s", func(i int) bool { return i >= 52 }, 5, true}, // two poor bins still leave 90 %
		{"not for long enough", func(i int) bool { return i >= 20 && i < 45 }, 0, false},
		{"in the end", func(i int) bool { return i >= 170 }, 16.8, true},
	} {
		at, _, ok := course(tt.good).convergence(o)
		if ok != tt.ok || math.Abs(at-tt.want) > 0.05 {
			t.Errorf("%s: %v after %.1f s, want %v after %.1f s", tt.name, ok, at, tt.ok, tt.want)
		}
	}
	slow := &seen{}
	for range 100 {
		slow.bins = append(slow.bins, bin{done: 100, latency: 100 * 16 * time.Millisecond})
	}
	if _, _, ok := slow.convergence(o); ok {
		t.Error("1.6 times the latency counts as converged")
	}
}

// Settings that read the same to a person are still two.
func TestOracleOfOneSettingIsTakenForAnother(t *testing.T) {
	t.Parallel()
	lab := quickLab()
	setting := func(service time.Duration) *Phase {
		return &Phase{Setting: Setting{Server: Server{Workers: 1, Service: Constant(service)}, Clients: []Client{{Callers: 5}}}}
	}
	a, b := setting(20*ms), setting(20*ms+40*time.Microsecond)
	if a.Server.Service.String() != b.Server.Service.String() {
		t.Fatal("they do not read the same")
	}
	near(t, "a", lab.Oracle(a).Goodput, 50, 1e-3)
	near(t, "b", lab.Oracle(b).Goodput, 1/0.02004, 1e-4)
	if lab.Oracle(a).Goodput == lab.Oracle(b).Goodput {
		t.Error("the same oracle")
	}
}
