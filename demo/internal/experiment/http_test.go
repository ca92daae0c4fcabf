package experiment

import (
	"context"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

func openHTTP(t *testing.T, c origin.Config, timeout time.Duration) *HTTP {
	t.Helper()
	w, err := OpenHTTP(t.Context(), c, timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// The threshold is 200/s × 0.5 s = 100 in flight.
func TestTimeoutsBeginAboveCapacityTimesTimeout(t *testing.T) {
	w := openHTTP(t, origin.Config{Workers: 2, Service: 10 * time.Millisecond}, 500*time.Millisecond)
	const n = 160
	for _, name := range []string{Unbounded, Batch, Fixed} {
		p := mustPolicy(t, w, name, n, Choices{})
		run := mustRun(t, w, n, p)
		if name == Unbounded {
			// How many they are is up to this machine, too; that there are
			// some is not.
			if run.Counts.TimedOut == 0 || run.Prediction == nil || run.Prediction.AtLeast == 0 {
				t.Errorf("%s: %+v, predicted %+v", p.Text, run.Counts, run.Prediction)
			}
			continue
		}
		if run.Prediction == nil || run.Prediction.Open || !run.Prediction.Held(run.Counts) {
			t.Errorf("%s: %+v, predicted %+v", p.Text, run.Counts, run.Prediction)
		}
		if run.Counts.Succeeded != n {
			t.Errorf("%s: %d of %d tasks succeeded", p.Text, run.Counts.Succeeded, n)
		}
		if run.ConnectionsOpened == 0 || run.ConnectionsOpened > n {
			t.Errorf("%s: %d connections for %d tasks with one each", p.Text, run.ConnectionsOpened, n)
		}
	}
}

// Waiting for our own permit must not use up the time of the call: under a
// limit of 1 the last of these tasks waits for longer than the timeout.
func TestWaitingInOurQueueIsNoTimeout(t *testing.T) {
	w := openHTTP(t, origin.Config{Workers: 1, Service: 20 * time.Millisecond}, 300*time.Millisecond)
	run := mustRun(t, w, 25, mustPolicy(t, w, Fixed, 25, Choices{Limit: 1}))
	if run.Counts.Succeeded != 25 {
		t.Errorf("%+v, want all succeeded", run.Counts)
	}
	if run.SinceSubmitted.Max < 450 || run.Latency.P50 > run.SinceSubmitted.Max/4 {
		t.Errorf("call %+v, since submitted %+v: the wait is in the wrong one", run.Latency, run.SinceSubmitted)
	}
	if run.PeakInFlight != 1 {
		t.Errorf("%d in flight under a limit of 1", run.PeakInFlight)
	}
}

func TestRefusalsAreNotFailures(t *testing.T) {
	w := openHTTP(t, origin.Config{Workers: 1, Service: 20 * time.Millisecond, Queue: 2}, time.Second)
	run := mustRun(t, w, 30, mustPolicy(t, w, Unbounded, 30, Choices{}))
	if run.Counts.Refused == 0 || run.Counts.Failed != 0 {
		t.Errorf("%+v, want some refused by the full queue and none failed", run.Counts)
	}
}

func TestInterruptedCallsAreCancelled(t *testing.T) {
	w := openHTTP(t, origin.Config{Workers: 1, Service: time.Minute}, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const n = 40
	// As soon as something is in flight: no call is answered before a minute.
	r := Runner{Sampled: func(p Point) {
		if p.InFlight > 0 {
			cancel()
		}
	}}
	p := mustPolicy(t, w, Fixed, n, Choices{Limit: 5})
	trial := make(chan *Run, 1)
	go func() {
		run, err := r.Run(ctx, w, n, p, 1)
		if err != nil {
			t.Error(err)
		}
		trial <- run
	}()
	select {
	case run := <-trial:
		if run.Counts.Cancelled != n || !run.Interrupted {
			t.Errorf("%+v, interrupted %v; want all of %d cancelled", run.Counts, run.Interrupted, n)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the run does not end when it is interrupted")
	}
}

// 100 in flight lost a third of their handshakes under the line "time-outs begin when
// in flight > 800"; and with a network the predictions had another threshold than it.
func TestTheLawIsOnlyStatedWhereItHolds(t *testing.T) {
	base := origin.Config{Workers: 8, Service: 10 * time.Millisecond}
	for _, tt := range []struct {
		change func(*origin.Config)
		want   string
	}{
		{func(*origin.Config) {}, "time-outs begin when in flight > capacity × timeout = 800"},
		{func(c *origin.Config) { c.Network = 100 * time.Millisecond }, "time-outs begin when in flight > capacity × (timeout − network) = 720"},
		{func(c *origin.Config) { c.Queue = 1000 }, "time-outs begin when in flight > capacity × timeout = 800"},
		// Of 58 that are let in nobody waits for a second, and the 59th is refused.
		{func(c *origin.Config) { c.Queue = 50 }, "refusals begin when in flight > workers + queue = 58; no time-outs: so many are below capacity × timeout = 800"},
		{func(c *origin.Config) { c.Quota = 400 }, ""},
		{func(c *origin.Config) { c.Backlog = 16 }, ""},
		{func(c *origin.Config) { c.Streams = 8 }, ""},
	} {
		c := base
		tt.change(&c)
		if got := (&HTTP{config: c, timeout: time.Second}).Law(); got != tt.want {
			t.Errorf("%v: %q, want %q", c, got, tt.want)
		}
	}
}
