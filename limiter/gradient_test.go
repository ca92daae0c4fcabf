package limiter_test

import (
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// clockwork tells a Gradient of calls at moments of its choice.
type clockwork struct {
	t      *testing.T
	policy limiter.Policy
	now    time.Duration
}

// calls reports calls that have all taken the same time.
func (c *clockwork) calls(n int, o limiter.Outcome, latency time.Duration) {
	for range n {
		c.policy.Report(limiter.State{Now: c.now, InFlight: 1}, limiter.Result{Outcome: o, Latency: latency})
	}
}

// measured lets the measurement that is under way end with a latency.
func (c *clockwork) measured(latency time.Duration) {
	c.now += latency
	c.calls(50, limiter.Success, latency)
}

// interval is a tenth of a second in which one call ends.
func (c *clockwork) interval(latency time.Duration) {
	c.calls(1, limiter.Success, latency)
	c.now += 100 * time.Millisecond
}

func (c *clockwork) want(what string, limit int, because string) {
	c.t.Helper()
	if got, _ := c.policy.Next(limiter.State{Now: c.now}); got != limit || because != "" && reason(c.policy) != because {
		c.t.Errorf("%s: limit %d, %q, want %d, %q", what, got, reason(c.policy), limit, because)
	}
}

const measuring = "measuring the latency without a queue"

// Calls of 10 ms all fall into the bin from 10 to 11 ms, so their median is 10.5
// ms; that of calls of 20 ms is 20.5 ms, and that of 100 ms is 105 ms.
func TestGradientFollowsItsSource(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []limiter.GradientConfig{{Max: 2}, {Min: 3000}, {}} {
		limiter.Gradient(c) // what is left out must fit what is given
	}
	c := &clockwork{t: t, policy: limiter.Gradient(limiter.GradientConfig{})}
	c.want("at the start", 3, measuring)
	c.now = 10 * ms
	c.calls(49, limiter.Success, 10*ms)
	c.calls(9, limiter.Cancelled, 10*ms)
	c.calls(9, limiter.Ignored, 10*ms)
	c.want("49 answers", 3, measuring)
	c.calls(1, limiter.Success, 10*ms)
	c.want("50 answers", 3, "latency without a queue is 10.5ms")

	c.now += 99 * ms
	c.calls(1, limiter.Success, 10*ms)
	c.want("before a tenth of a second is over", 3, "latency without a queue is 10.5ms")
	c.now += 1 * ms
	// gradient 1.25: 3.75 + √3.75 = 5.69; 6.25 + 2.5 = 8.75; 10 + √10 = 13.2;
	// 16.25 + √16.25 = 20.3
	c.want("no queue", 5, "gradient 1.25: latency 10.5ms, without a queue 10.5ms")
	for _, want := range []int{8, 13, 20} {
		c.interval(10 * ms)
		c.want("no queue", want, "")
	}
	c.now += 250 * ms
	c.want("nothing answered", 20, "")
	// 1.25 × 10.5 / 20.5 = 0.640; 20 × 0.640 = 12.80; 12.80 + √12.80 = 16.4
	c.calls(1, limiter.Success, 20*ms)
	c.now += 49 * ms
	c.want("the interval is not over", 20, "")
	c.now += 1 * ms
	c.want("twice the latency", 16, "gradient 0.64: latency 20.5ms, without a queue 10.5ms")
	c.interval(100 * ms) // 0.125 is taken for 0.5: 8 + √8 = 10.8
	c.want("ten times the latency", 10, "gradient 0.50: latency 105ms, without a queue 10.5ms")
	c.calls(3, limiter.Refused, 1*ms) // 1.05 ms: 13 is taken for 2: 20 + √20 = 24.5
	c.calls(1, limiter.Failed, 1*ms)
	c.calls(2, limiter.Overdue, 500*ms) // six calls, of which the third is three quarters through the first bin
	c.now += 100 * ms
	c.want("failures that come fast", 24, "gradient 2.00: latency 1.075ms, without a queue 10.5ms")
}

func TestGradientMeasuresAtTheWrongTime(t *testing.T) {
	const ms = time.Millisecond
	longest, shortest := time.Duration(0), time.Hour
	for seed := range uint64(100) {
		c := &clockwork{t: t, policy: limiter.Gradient(limiter.GradientConfig{Seed: seed})}
		c.measured(10 * ms)
		since := c.now
		for c.now < 2*time.Minute && reason(c.policy) != measuring {
			c.interval(10 * ms)
			c.policy.Next(limiter.State{Now: c.now})
		}
		longest, shortest = max(longest, c.now-since), min(shortest, c.now-since)
		if seed > 0 {
			continue
		}
		c.want("during a measurement", 3, measuring)
		c.calls(100, limiter.Success, 200*ms) // from before
		c.want("calls that are older than the measurement", 3, measuring)
		c.now += 20 * ms
		c.measured(20 * ms)
		c.want("after it", 1000, "latency without a queue is 20.5ms")
		c.calls(1, limiter.Success, 20*time.Second) // from before
		c.now += 100 * ms
		c.want("an old call", 1000, "latency without a queue is 20.5ms")
	}
	if shortest < time.Minute || shortest > 61*time.Second || longest > 69100*ms || longest < 68*time.Second {
		t.Errorf("measured again after %v to %v, want 60 to 69 s", shortest, longest)
	}
}

// Five changes in a row from Min to Min show that the base is too low.
func TestGradientIsStuckWithABaseThatIsTooLow(t *testing.T) {
	const ms = time.Millisecond
	c := &clockwork{t: t, policy: limiter.Gradient(limiter.GradientConfig{})}
	c.measured(10 * ms)
	for range 4 {
		c.now += 100 * ms
		c.calls(1, limiter.Success, 100*ms) // 3 × 0.5 + √1.5 = 2.7, and 3 is the least
	}
	c.now += 100 * ms
	c.want("four times at the least", 3, "gradient 0.50: latency 105ms, without a queue 10.5ms")
	c.calls(1, limiter.Success, 10*ms)
	c.now += 100 * ms
	c.want("a good one", 5, "")
	c.calls(1, limiter.Success, 100*ms) // from 5: 2.5 + √2.5 = 4.1
	c.now += 100 * ms
	c.want("and a bad one", 4, "")
	for range 5 { // the first takes it from 4 to 3
		c.calls(1, limiter.Success, 100*ms)
		c.now += 100 * ms
		c.want("bad ones", 3, "gradient 0.50: latency 105ms, without a queue 10.5ms")
	}
	c.calls(1, limiter.Success, 100*ms)
	c.now += 100 * ms
	c.want("five times at the least", 3, measuring)
	c.measured(100 * ms)
	c.want("measured again", 3, "latency without a queue is 105ms")
	c.now += 300 * ms
	c.calls(1, limiter.Success, 300*ms)
	c.now += 100 * ms
	c.want("a bad one after it", 3, "gradient 0.50: latency 305ms, without a queue 105ms")
}

// A measurement that is due before a change takes the latencies with it, though
// nobody looks at the time until both are due.
func TestGradientDoesWhatIsDueInTheWrongOrder(t *testing.T) {
	const ms = time.Millisecond
	c := &clockwork{t: t, policy: limiter.Gradient(limiter.GradientConfig{Update: time.Second, Probe: 10 * ms})}
	c.measured(10 * ms)
	c.now += 5 * ms
	c.calls(1, limiter.Success, 1*ms)
	c.now += 2 * time.Second
	c.want("both are due", 3, measuring)
	c.measured(10 * ms)
	c.want("the limit as it was", 3, "latency without a queue is 10.5ms")
}
