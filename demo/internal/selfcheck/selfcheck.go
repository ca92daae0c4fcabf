// Package selfcheck measures the harness with the harness: what it costs, and
// whether its figures agree with those of somebody who stands on the other side.
package selfcheck

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/statistics"
)

// What must hold.
const (
	MostOverhead   = 0.05 // of the wall time of a bare loop
	MostDifference = 1.0  // milliseconds between the two medians
	MostResidual   = 0.10 // of Little's law
)

// A Finding is one thing that was checked.
type Finding struct {
	What string
	Got  string
	Want string
	Met  bool

	// Noisy says that other programs used the machine meanwhile, and that the
	// finding is of little worth.
	Noisy bool
}

// tasks of the sleep run that the overhead is measured on.
const tasks = 10_000

// Overhead compares the sleep run of 10,000 tasks, all at once, with a loop that
// does nothing but start the same goroutines, in so many pairs. Which comes first
// changes from pair to pair; one pair beforehand does not count.
func Overhead(ctx context.Context, pairs int) (Finding, error) {
	w := experiment.NewSleep(1, 0)
	policy := experiment.Policies(w, []string{experiment.Unbounded}, tasks, experiment.Choices{})[0]
	var runner experiment.Runner
	noisy := false
	harness := func() (float64, error) {
		r, err := runner.Run(ctx, w, tasks, policy, 1)
		if err != nil {
			return 0, err
		}
		noisy = noisy || r.Noisy
		return r.WallSeconds, nil
	}
	var ratios []float64
	for i := range pairs + 1 {
		var with, without float64
		var err error
		if i%2 == 0 {
			without = bare()
			with, err = harness()
		} else {
			with, err = harness()
			without = bare()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return Finding{}, err
		}
		if i > 0 {
			ratios = append(ratios, with/without-1)
		}
	}
	median := statistics.Median(ratios)
	got := fmt.Sprintf("%+.1f %%", 100*median)
	if i := statistics.MedianInterval(ratios); i.Known() {
		got += fmt.Sprintf(" (%+.1f to %+.1f %%)", 100*i.Low, 100*i.High)
	}
	return Finding{
		What: fmt.Sprintf("wall time of 10,000 sleeping tasks over a bare loop, median of %d pairs", pairs),
		Got:  got, Want: fmt.Sprintf("≤ %.0f %%", 100*MostOverhead), Met: median <= MostOverhead, Noisy: noisy,
	}, nil
}

// bare is the same work without the harness, in memory that is as cold.
func bare() float64 {
	debug.FreeOSMemory()
	begin := time.Now()
	var running sync.WaitGroup
	for range tasks {
		running.Go(func() {
			for range 3 {
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	running.Wait()
	return time.Since(begin).Seconds()
}

// Latency compares the median latency of calls with what the origin's own log
// says of the same calls, and the calls in flight with Little's law.
func Latency(ctx context.Context, runs int) ([]Finding, error) {
	w, err := experiment.OpenHTTP(ctx, origin.Config{}, time.Second)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close() }()
	var runner experiment.Runner
	if err := runner.WarmUp(ctx, w); err != nil {
		return nil, err
	}
	var findings []Finding
	for _, limit := range []int{4, 8, 32} {
		policy := experiment.Policies(w, []string{experiment.Fixed}, 1000, experiment.Choices{Limit: limit})[0]
		var ours, theirs, residuals []float64
		noisy := false
		for range runs {
			r, err := runner.Run(ctx, w, 1000, policy, 1)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return nil, err
			}
			ours, theirs = append(ours, r.Latency.P50), append(theirs, r.OriginP50)
			noisy = noisy || r.Noisy
			if r.LittleResidual != nil {
				residuals = append(residuals, math.Abs(*r.LittleResidual))
			}
		}
		own, log, residual := statistics.Median(ours), statistics.Median(theirs), statistics.Median(residuals)
		findings = append(findings, Finding{
			What: fmt.Sprintf("p50 of 1,000 calls with %d in flight: ours, and the origin's log", limit),
			Got:  fmt.Sprintf("%.2f ms, %.2f ms", own, log), Want: fmt.Sprintf("≤ %.0f ms apart", MostDifference),
			Met: math.Abs(own-log) <= MostDifference && log > 0, Noisy: noisy,
		}, Finding{
			What: fmt.Sprintf("Little's law with %d in flight: sampled calls against rate × latency", limit),
			Got:  fmt.Sprintf("%.1f %% apart", 100*residual), Want: fmt.Sprintf("≤ %.0f %%", 100*MostResidual),
			Met: residual <= MostResidual && len(residuals) > 0, Noisy: noisy,
		})
	}
	return findings, nil
}
