package experiment

import (
	"context"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// The names of the experiments, as --experiments takes them.
const (
	NameSleep    = "sleep"
	NameUneven   = "uneven"
	NameHTTP     = "http"
	NamePostgres = "postgres"
)

// Names are all names, in the order in which the experiments run.
var Names = []string{NameSleep, NameUneven, NameHTTP, NamePostgres}

// CheckNames returns an error that says what is valid if names has one that is
// not.
func CheckNames(names []string) error { return checkNames("experiment", names, Names) }

// A Workload is what the tasks of an experiment do, and what is known about it
// beforehand. [NewSleep], [NewUneven], [OpenHTTP] and [OpenPostgres] make one. It runs one
// trial at a time.
type Workload interface {
	// Name is the name of the experiment.
	Name() string
	// About says in one line what the tasks do and against what.
	About() string
	// Law says in one line when tasks begin to end badly, and is empty if
	// they do not.
	Law() string
	// StandIn reports whether the far side is not what the experiment is
	// about but something in its place, which every output must say.
	StandIn() bool
	// DefaultN are the numbers of tasks: those of the post, where it has any.
	DefaultN() []int
	// Floor is the least time that n tasks can take under p.
	Floor(n int, p Policy) time.Duration
	// Predict says how n tasks will end under p. It reports false if there is
	// nothing that could go wrong.
	Predict(n int, p Policy) (Prediction, bool)
	// Close ends what the workload has opened.
	Close() error

	suggest(n int) suggestion
	options() []limiter.Option
	// warmUp makes a few calls that count for nothing.
	warmUp(ctx context.Context) error
	// run runs the tasks of t and returns when all of them have ended. Errors
	// of tasks are their ends and not errors of run.
	run(ctx context.Context, t *trial) error
	// settle waits until nothing of t is left on the far side and completes
	// t's account.
	settle(ctx context.Context, t *trial) error
}

// A trial is one run while it is being made.
type trial struct {
	n           int
	policy      Policy
	limiter     *limiter.Limiter
	record      *Recorder
	connections int
	origin      time.Duration // the median latency by the far side's own account, 0 if it has none
	interrupted bool          // the user waits for the end
}
