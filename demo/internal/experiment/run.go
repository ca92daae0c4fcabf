package experiment

// A Run is what is known of one run of one policy. Its JSON is part of the
// harness's output, schema 1: fields may be added, and none changes its
// meaning.
type Run struct {
	Experiment string         `json:"experiment"`
	N          int            `json:"n"`
	Policy     string         `json:"policy"`
	Params     map[string]any `json:"params"`
	Run        int            `json:"run"` // 1 is the first

	// Runtime is what ran the tasks if it was not this program, such as
	// "asyncio, Python 3.11.7".
	Runtime string `json:"runtime,omitempty"`

	WallSeconds  float64 `json:"wall_seconds"`
	FloorSeconds float64 `json:"floor_seconds"` // the least that this policy could take

	Counts      Counts  `json:"counts"`
	TimeoutRate float64 `json:"timeout_rate"` // of all n tasks

	Latency        Percentiles `json:"latency_ms"`         // of the call itself
	SinceSubmitted Percentiles `json:"since_submitted_ms"` // with the waiting before it

	// OriginP50 is the median latency by the origin's own account, in
	// milliseconds: without the way there and back.
	OriginP50 float64 `json:"origin_p50_ms,omitempty"`

	PeakInFlight      int     `json:"peak_in_flight"`
	PeakGoroutines    int     `json:"peak_goroutines"`
	PeakMemoryBytes   int64   `json:"peak_memory_bytes"` // of the whole program
	ConnectionsOpened int     `json:"connections_opened"`
	Timeline          []Point `json:"timeline"`

	// Tasks says when each task was running, in the order of their starts, for
	// runs of no more than [mostSpans] of them.
	Tasks []Span `json:"tasks,omitempty"`

	// MeanInFlight is the mean over time of the calls in flight, as sampled.
	// LittleResidual is by how much of itself it differs from the calls ended
	// per second times their mean latency, which by Little's law it equals.
	// The one comes from the limiter and the other from the tasks, so they
	// check each other. Null means that the run was too short to tell.
	MeanInFlight   float64  `json:"mean_in_flight"`
	LittleResidual *float64 `json:"little_residual"`

	// What a reader needs in order to judge the figures.
	Against           string      `json:"against"`              // what the calls went to
	Law               string      `json:"law,omitempty"`        // when tasks begin to end badly
	StandIn           bool        `json:"stand_in"`             // not the real thing, but something in its place
	MemoryBeforeBytes int64       `json:"memory_before_bytes"`  // of the program, before the run
	GoroutinesLeft    int         `json:"goroutines_left"`      // more than before the run, after waiting for them
	ForeignCPU        *float64    `json:"foreign_cpu"`          // share of all cores used by other programs; null if unknown
	Noisy             bool        `json:"noisy"`                // ForeignCPU is too high to trust the times
	Prediction        *Prediction `json:"prediction,omitempty"` // made before the run
	Interrupted       bool        `json:"interrupted"`          // the user ended it

	// Label is the policy with its parameters, for people. Of several runs the
	// distributions can be merged; see [Latencies].
	Label               string     `json:"label"`
	Chosen              bool       `json:"chosen"` // as in [Policy]
	Calls               *Latencies `json:"latency_histogram,omitempty"`
	CallsSinceSubmitted *Latencies `json:"since_submitted_histogram,omitempty"`
}

// A Span is when a task started and ended, in milliseconds since the run began.
type Span [2]float64

// mostSpans is how many tasks a picture can still show one by one.
const mostSpans = 200

// A Point is how a run stood at one moment.
type Point struct {
	T         float64 `json:"t"` // seconds since the run began
	InFlight  int     `json:"in_flight"`
	Queued    int     `json:"queued"`    // tasks that have not started
	Limit     *int    `json:"limit"`     // null for none
	Completed int     `json:"completed"` // tasks that have ended, in whichever way

	// Failed is how many of those the limiter knows to have ended badly.
	Failed int `json:"-"`
}
