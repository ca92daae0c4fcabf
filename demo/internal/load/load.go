// Package load measures how much an HTTP server gets done for a constant number
// of callers, each of which makes its next call when it has an answer: a closed
// loop, which is also what a limiter with a fixed limit makes of any backlog.
package load

import (
	"context"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// A Trial says what to measure.
type Trial struct {
	// Limit is the number of callers, at least 1.
	Limit int
	// Ramp is the time over which the callers begin, one after another.
	Ramp time.Duration
	// Warm is the time after that which counts for nothing.
	Warm time.Duration
	// Window is the time after that in which calls are counted when they end.
	Window time.Duration
	// Careful makes the first sign of harm end the trial: a call that fails,
	// is refused, or takes longer than Longest (0 is any time). Calls that are
	// under way go on to their ends, none is begun.
	Careful bool
	Longest time.Duration
}

// A Measurement is what came of a trial. Its JSON is part of the harness's
// output, schema 1.
type Measurement struct {
	Limit int `json:"limit"`
	Round int `json:"round"` // for the caller of Measure to set
	// Goodput is successful calls per second: the slope of the line through
	// the moments at which they ended. To divide their number by the time
	// would count a batch of callers that move in step once too often or once
	// too rarely.
	Goodput float64 `json:"goodput"`
	// Counts are the calls that ended in the window.
	Counts experiment.Counts `json:"counts"`
	// All are the calls of the whole trial, with those before and after.
	All     experiment.Counts      `json:"all"`
	Latency experiment.Percentiles `json:"latency_ms"` // of Counts, without the cancelled
	// Little is goodput × mean latency over the limit. By Little's law it is 1
	// if all calls succeed; what is missing, the harness has not accounted for.
	Little float64 `json:"little"`
	// Variation is the standard deviation of the latencies of the successes, relative
	// to their mean: 0 if all calls take equally long.
	Variation  float64  `json:"variation"`
	Seconds    float64  `json:"seconds"`     // that the trial has taken
	ForeignCPU *float64 `json:"foreign_cpu"` // as in a run
	Noisy      bool     `json:"noisy"`
	// Harm says why a careful trial ended early, empty if it did not.
	Harm string `json:"harm,omitempty"`
	// RetryAfter is how long the far side asked to be left alone, in seconds.
	RetryAfter float64 `json:"retry_after,omitempty"`
}

// A Target can be measured. [HTTP] is one; another one is in virtual time.
type Target interface {
	// Measure makes a trial. If ctx ends before the window does, its error is
	// ctx's, and the measurement is of as much as there was.
	Measure(ctx context.Context, t Trial) (Measurement, error)
}
