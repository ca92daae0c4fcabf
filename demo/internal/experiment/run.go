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

	WallSeconds  float64 `json:"wall_seconds"`
	FloorSeconds float64 `json:"floor_seconds"` // the least that this policy could take

	Counts      Counts  `json:"counts"`
	TimeoutRate float64 `json:"timeout_rate"` // of all n tasks

	Latency        Percentiles `json:"latency_ms"`         // of the call itself
	SinceSubmitted Percentiles `json:"since_submitted_ms"` // with the waiting before it

	PeakInFlight      int     `json:"peak_in_flight"`
	PeakGoroutines    int     `json:"peak_goroutines"`
	PeakMemoryBytes   int64   `json:"peak_memory_bytes"` // of the whole program
	ConnectionsOpened int     `json:"connections_opened"`
	Timeline          []Point `json:"timeline"`

	// What a reader needs in order to judge the figures.
	Against           string      `json:"against"`              // what the calls went to
	StandIn           bool        `json:"stand_in"`             // not the real thing, but something in its place
	MemoryBeforeBytes int64       `json:"memory_before_bytes"`  // of the program, before the run
	GoroutinesLeft    int         `json:"goroutines_left"`      // more than before the run, after waiting for them
	ForeignCPU        *float64    `json:"foreign_cpu"`          // share of all cores used by other programs; null if unknown
	Noisy             bool        `json:"noisy"`                // ForeignCPU is too high to trust the times
	Prediction        *Prediction `json:"prediction,omitempty"` // made before the run
	Interrupted       bool        `json:"interrupted"`          // the user ended it

	// Label is the policy with its parameters, for people. Of several runs the
	// distributions can be merged; see [Latencies].
	Label               string     `json:"-"`
	Chosen              bool       `json:"-"` // as in [Policy]; the JSON has the flags
	Calls               *Latencies `json:"-"`
	CallsSinceSubmitted *Latencies `json:"-"`
}

// A Point is how a run stood at one moment.
type Point struct {
	T         float64 `json:"t"` // seconds since the run began
	InFlight  int     `json:"in_flight"`
	Queued    int     `json:"queued"`    // tasks that have not started
	Limit     *int    `json:"limit"`     // null for none
	Completed int     `json:"completed"` // tasks that have ended, in whichever way
}
