package experiment

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

const (
	// settleTimeout bounds the wait for the far side between two runs.
	settleTimeout = 15 * time.Second
	// leaveTimeout bounds the wait for goroutines that are about to end.
	leaveTimeout = 3 * time.Second
)

// A Runner makes runs, one at a time. Its zero value is ready.
type Runner struct {
	// Sampled, if set, is told every 10 ms how the run in progress stands.
	Sampled func(Point)
}

// Run runs n tasks of w under p once. When ctx ends no further task starts, and
// those in flight are cancelled; the Run then says Interrupted, and its counts
// add up as always. The error is about the far side, such as an origin that has
// ended; there may be a Run with it.
func (r *Runner) Run(ctx context.Context, w Workload, n int, p Policy, repeat int) (*Run, error) {
	if p.Python != nil {
		return r.runAsyncio(ctx, w, n, p, repeat)
	}
	// Memory that an earlier run has used would count as this one's.
	debug.FreeOSMemory()
	goroutines := runtime.NumGoroutine()
	_, memory := readRuntime()

	t := &trial{n: n, policy: p, limiter: limiter.New(p.New(), w.options()...)}
	cpu := readCPU()
	t.record = newRecorder(n)
	s := startSampler(n, t.record.begin, t.limiter.Stats, func(at Point) {
		if r.Sampled != nil {
			r.Sampled(at)
		}
	})
	err := w.run(ctx, t)
	wall := time.Since(t.record.begin)
	s.stop()
	foreign, tooMuch := cpu.foreign(wall)
	t.interrupted = ctx.Err() != nil

	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	err = errors.Join(err, w.settle(settle, t))

	run := &Run{
		Experiment: w.Name(), N: n, Policy: p.Name, Params: p.Params, Run: repeat,
		WallSeconds: wall.Seconds(), FloorSeconds: w.Floor(n, p).Seconds(),
		Counts:       t.record.counts(),
		PeakInFlight: t.limiter.Stats().PeakInFlight, PeakGoroutines: s.goroutines,
		PeakMemoryBytes: s.memory, ConnectionsOpened: t.connections, Timeline: s.timeline.points,
		Against: w.About(), Law: w.Law(), StandIn: w.StandIn(), MemoryBeforeBytes: memory,
		ForeignCPU: foreign, Noisy: tooMuch,
		Label: p.Text, Chosen: p.Chosen,
	}
	run.TimeoutRate = float64(run.Counts.TimedOut) / float64(n)
	run.Interrupted = t.interrupted && run.Counts.Cancelled > 0
	if q, ok := w.Predict(n, p); ok {
		run.Prediction = &q
	}
	run.Calls, run.CallsSinceSubmitted = t.record.latencies()
	run.Latency, run.OriginP50 = run.Calls.Percentiles(), milliseconds(t.origin)
	run.SinceSubmitted = run.CallsSinceSubmitted.Percentiles()
	run.Tasks, run.MeanInFlight = t.record.spans(), s.area/wall.Seconds()
	if !run.Interrupted {
		run.LittleResidual = little(run.MeanInFlight, s.samples, run.Calls, wall)
	}
	run.GoroutinesLeft = goroutinesAbove(goroutines)
	if err != nil {
		err = fmt.Errorf("%s, %d tasks, %s: %w", w.Name(), n, p.Text, err)
	}
	return run, err
}

// WarmUp makes a few calls of w that count for nothing, so that the first run
// does not pay for what happens once: page faults, caches, the far side's own
// start.
func (r *Runner) WarmUp(ctx context.Context, w Workload) error {
	if err := w.warmUp(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: warm-up: %w", w.Name(), err)
	}
	return nil
}

// goroutinesAbove waits until no more than level goroutines are left, and gives
// up after a while; it returns how many more there are then.
func goroutinesAbove(level int) int {
	deadline := time.Now().Add(leaveTimeout)
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		more := runtime.NumGoroutine() - level
		if more <= 0 || time.Now().After(deadline) {
			return max(0, more)
		}
		time.Sleep(pause)
	}
}

// Order returns the order in which policies take their turns in a repeat of w
// with n tasks, each once. It follows from the seed.
func Order(w Workload, n int, policies []Policy, seed uint64, repeat int) []Policy {
	// Every table gets an order of its own: the one policy that comes first
	// everywhere would be favoured, or harmed, everywhere.
	place := fnv.New64a()
	fmt.Fprint(place, w.Name(), n, repeat)
	order := make([]Policy, len(policies))
	for to, from := range rand.New(rand.NewPCG(seed, place.Sum64())).Perm(len(policies)) {
		order[to] = policies[from]
	}
	return order
}

// all runs f for the tasks 0 to n-1 of t, each in a goroutine of its own as soon
// as the limiter admits it, and records them.
func (t *trial) all(ctx context.Context, f func(ctx context.Context, i int) error) {
	tasks := func(yield func(int) bool) {
		for i := range t.n {
			if !yield(i) {
				return
			}
		}
	}
	// Its error is the errors of the tasks, which are recorded, joined.
	_ = limiter.ForEach(ctx, t.limiter, tasks, func(call context.Context, i int) error {
		t.record.Start(i)
		err := f(call, i)
		t.record.End(i, endOf(ctx, err))
		return err
	}, limiter.KeepGoing())
}
