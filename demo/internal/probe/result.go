package probe

import (
	"context"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

// Caps bound what a probe may do to an endpoint. All must be positive.
type Caps struct {
	Concurrency int           `json:"concurrency"`
	Rate        float64       `json:"rate"` // calls per second; for the target to keep
	Requests    int           `json:"requests"`
	Time        time.Duration `json:"time_ns"`
}

// Config says how to probe.
type Config struct {
	Caps    Caps
	Timeout time.Duration // of one call
	// Wait waits for as long as the endpoint asks; nil means not at all.
	Wait func(context.Context, time.Duration) error
	// Measured, if set, is told each measurement as it is made.
	Measured func(step string, m load.Measurement)
}

// A Result is a whole probe. Its JSON is part of the harness's output, schema 1.
type Result struct {
	Endpoint string `json:"endpoint"` // without secrets
	Caps     Caps   `json:"caps"`

	// Limit is the recommendation, 0 if there is none, and From and To the
	// ends of its interval.
	Limit int `json:"limit"`
	From  int `json:"from"`
	To    int `json:"to"`
	// Rate is the recommended number of calls per second, Timeout the
	// recommended timeout of one, in seconds.
	Rate    float64 `json:"rate"`
	Timeout float64 `json:"timeout_seconds"`
	// AtLeast says that the endpoint may take more: a cap ended the climb
	// before the knee was passed.
	AtLeast bool   `json:"at_least"`
	Because string `json:"because"`

	// Harm is the first sign of harm, empty if there was none, and RetryAfter
	// for how many seconds the endpoint asked to be left alone then.
	Harm       string  `json:"harm,omitempty"`
	RetryAfter float64 `json:"retry_after,omitempty"`
	Stopped    string  `json:"stopped"` // why the probe ended

	Calls   int     `json:"calls"`
	Failed  int     `json:"failed"`
	Seconds float64 `json:"seconds"`

	Knee         *knee.Knee         `json:"knee"` // of the clean measurements; null if they are too few or none has passed it
	Points       []sweep.Point      `json:"points"`
	Measurements []load.Measurement `json:"measurements"`
	Interrupted  bool               `json:"interrupted"`
}
