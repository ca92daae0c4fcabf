package limiter_test

import (
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// windows tells a Gradient2 of windows in which all calls take the same time.
type windows struct {
	t      *testing.T
	policy limiter.Policy
	now    time.Duration
}

func newWindows(t *testing.T, c limiter.Gradient2Config) *windows {
	w := &windows{t: t, policy: limiter.Gradient2(c)}
	w.report(limiter.Success, 1000, 100*time.Millisecond, 1) // ends a window of its own
	return w
}

func (w *windows) report(o limiter.Outcome, inFlight int, latency time.Duration, calls int) {
	for range calls {
		w.policy.Report(limiter.State{Now: w.now, InFlight: inFlight}, limiter.Result{Outcome: o, Latency: latency})
	}
}

// window is ten calls of an outcome, the last of which ends the window.
func (w *windows) window(o limiter.Outcome, inFlight int, latency time.Duration) {
	w.now += 500 * time.Millisecond
	w.report(o, inFlight, latency, 9)
	w.now += 501 * time.Millisecond
	w.report(o, inFlight, latency, 1)
}

func (w *windows) want(what string, limit int, because string) {
	w.t.Helper()
	if got, _ := w.policy.Next(limiter.State{Now: w.now}); got != limit || because != "" && reason(w.policy) != because {
		w.t.Errorf("%s: limit %d, %q, want %d, %q", what, got, reason(w.policy), limit, because)
	}
}

func TestGradient2FollowsItsSource(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []limiter.Gradient2Config{{Max: 2}, {Initial: 3}, {Min: 300}, {}} {
		limiter.Gradient2(c) // what is left out must fit what is given
	}
	w := newWindows(t, limiter.Gradient2Config{})
	w.want("at the start", 20, "initial")
	// No queue: limit + 0.2 × (limit × 1 + 4 − limit), 0.8 more each time.
	w.window(limiter.Success, 20, 100*ms)
	w.want("first window", 20, "gradient 1.00: latency 100ms, in the long run 100ms")
	w.window(limiter.Success, 20, 100*ms)
	w.want("second window", 21, "") // 21.6
	for range 8 {
		w.window(limiter.Success, 20, 100*ms)
	}
	w.want("ten windows", 28, "")
	// The eleventh is smoothed: long = 100 + 2/601 × 300 = 100.998, and the
	// gradient 1.5 × 100.998 / 400 = 0.38 is taken for 0.5:
	// 28 + 0.2 × (14 + 4 − 28) = 26.
	w.window(limiter.Success, 28, 400*ms)
	w.want("four times the latency", 26, "gradient 0.50: latency 400ms, in the long run 100.998ms")
	// long = 100.998 + 2/601 × 99.002 = 101.328; 1.5 × 101.328 / 200 = 0.760;
	// 26 + 0.2 × (19.76 + 4 − 26) = 25.55
	w.window(limiter.Success, 26, 200*ms)
	w.want("twice the latency", 25, "gradient 0.76: latency 200ms, in the long run 101.328ms")
	w.window(limiter.Success, 12, 100*ms)
	w.want("12 in flight, less than half", 25, "gradient 0.76: latency 200ms, in the long run 101.328ms")
	w.now += 500 * ms
	w.report(limiter.Success, 13, 100*ms, 9)
	w.now += 501 * ms
	w.report(limiter.Success, 1, 100*ms, 1)
	w.want("once 13 in flight", 26, "") // 25.55 + 0.8 = 26.35
	for range 300 {
		w.window(limiter.Success, 1000, 100*ms)
	}
	w.want("no queue for long", 200, "")
	w = newWindows(t, limiter.Gradient2Config{Initial: 10, Min: 9})
	for range 10 {
		w.window(limiter.Success, 1, 1*ms) // too few in flight for more
	}
	for range 30 {
		w.window(limiter.Success, 1000, 100_000*ms) // toward 8, which is 0.5 × 8 + 4
	}
	w.want("at the least", 9, "")
}

func TestGradient2CountsCallsThatItsSourceDoesNot(t *testing.T) {
	const ms = time.Millisecond
	w := newWindows(t, limiter.Gradient2Config{Smoothing: 1})
	w.now += 1000 * ms
	w.report(limiter.Success, 20, 100*ms, 10)
	w.want("a window that ends when a second is over", 20, "initial")
	w.now += 1 * ms
	w.report(limiter.Success, 20, 100*ms, 1)
	w.want("a call later", 24, "gradient 1.00: latency 100ms, in the long run 100ms")

	w = newWindows(t, limiter.Gradient2Config{Smoothing: 1})
	w.now += 1001 * ms
	w.report(limiter.Success, 20, 100*ms, 9) // the first of them ends the window before
	w.want("a window of one call", 20, "initial")
	w.report(limiter.Success, 20, 99*time.Microsecond, 20)
	w.report(limiter.Failed, 20, 100*ms, 20)
	w.report(limiter.Cancelled, 20, 100*ms, 20)
	w.report(limiter.Ignored, 20, 100*ms, 20)
	w.now += 1001 * ms
	w.report(limiter.Success, 20, 100*ms, 1)
	w.want("nine calls, and others that do not count", 20, "initial")

	w.window(limiter.Success, 20, 100*ms)
	w.want("a whole window", 24, "gradient 1.00: latency 100ms, in the long run 100ms")
	// Losses are calls like others, the fast ones good news: the mean of 9
	// refusals at 1 ms and a timeout at 91 ms is 10 ms.
	w.now += 500 * ms
	w.report(limiter.Refused, 24, 1*ms, 9)
	w.now += 501 * ms
	w.report(limiter.Overdue, 24, 91*ms, 1)
	w.want("losses", 28, "gradient 1.00: latency 10ms, in the long run 52.25ms") // (100 + 10) / 2 less 5 %
}

// Smoothing is 1 here, so that the limit is the gradient's and Reason shows the
// long average that it was made of.
func TestGradient2DriftsOtherwiseThanItsSource(t *testing.T) {
	const ms = time.Millisecond
	w := newWindows(t, limiter.Gradient2Config{Smoothing: 1, Max: 1000})
	for range 9 {
		w.window(limiter.Success, 1000, 300*ms)
	}
	w.window(limiter.Success, 1000, 200*ms) // long = (9 × 300 + 200) / 10
	w.want("grown by 4 each", 60, "gradient 1.00: latency 200ms, in the long run 290ms")
	// long = 290 − 2/601 × 190 = 289.368, more than 2 × 100: 5 % less is 274.899.
	w.window(limiter.Success, 1000, 100*ms)
	w.want("fast again", 64, "gradient 1.00: latency 100ms, in the long run 274.899ms")
	// long = 274.899 + 2/601 × 225.101 = 275.648; 64 × 1.5 × 275.648 / 500 + 4 = 56.9
	w.window(limiter.Success, 1000, 500*ms)
	w.want("slower", 56, "gradient 0.83: latency 500ms, in the long run 275.648ms")

	// In the first ten windows the mean of all takes no notice of the 5 %.
	w = newWindows(t, limiter.Gradient2Config{Smoothing: 1})
	w.window(limiter.Success, 1000, 300*ms)
	w.window(limiter.Success, 1000, 300*ms)
	w.window(limiter.Success, 1000, 100*ms)
	w.want("5 % off", 32, "gradient 1.00: latency 100ms, in the long run 221.667ms") // 233.333 less 5 %
	w.window(limiter.Success, 1000, 100*ms)
	w.want("and on again", 36, "gradient 1.00: latency 100ms, in the long run 200ms")
}
