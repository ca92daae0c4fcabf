package scenario

import (
	"slices"
	"time"
)

// A World is a service, the clients that call it, and how both change.
type World struct {
	Name  string
	Group string // worlds that are summed up together
	About string // one line

	// Phases follow one another. Each says all that is so while it lasts.
	Phases []Phase

	// Initial is the limit that searching policies start from; 0 leaves it to
	// them.
	Initial int
}

// A Phase is a time during which nothing changes but by chance.
type Phase struct {
	Name string
	Long time.Duration // a multiple of 100 ms
	Setting

	// Ungraded phases set the stage for the next one.
	Ungraded bool

	// Whole says that the service itself moves during the phase (it scales),
	// so that the oracle has to live through the phase too and cannot be
	// measured in a steady state.
	Whole bool
}

// A Setting is all that is so at a time.
type Setting struct {
	Server  Server
	Clients []Client // as many in each phase; those who are not there are Absent
}

// A Server is the service that is called. What arrives passes the quota and the
// faults first, and then waits for a place to be worked on. Work goes on when
// its caller has left: no server hears of that in time.
type Server struct {
	Kind    Kind
	Workers int // of a FIFO or Batching server, the cores of a Sharing one
	Service Distribution

	// Places is how many may wait for a worker. Beyond them calls are refused
	// at once, as with 503. 0 is no bound.
	Places int

	// Quota refuses at once what is beyond so many calls per second, after a
	// burst of Burst: a token bucket, as with 429. 0 is none.
	Quota float64
	Burst int

	// RetryAfter comes with each refusal: the limiter of a client that hears of one
	// starts no call for so long. 0 is none.
	RetryAfter time.Duration

	// A call fails with the probability Faults, FaultAfter after its arrival
	// and without any work. FaultsRefuse has it refused instead.
	Faults       float64
	FaultAfter   time.Duration
	FaultsRefuse bool

	// All work stands still for StallFor in each StallEvery, as for a garbage
	// collector. 0 is never.
	StallEvery, StallFor time.Duration

	// Sigma and Kappa slow a Sharing server down by the Universal Scalability
	// Law: with n calls at once each is 1 + Sigma·(n-1) + Kappa·n·(n-1) times
	// slower (contention for what is shared; coherence between all pairs).
	Sigma, Kappa float64

	// A worker of a Batching server takes up to Batch calls at once, and works
	// on them for Service and PerCall for each.
	Batch   int
	PerCall time.Duration

	// MostWorkers above Workers has a FIFO server scale: every ScaleEvery it
	// sets its workers to what would make them ScaleTo busy, between Workers
	// and MostWorkers; new ones need ScaleAfter to start.
	MostWorkers            int
	ScaleEvery, ScaleAfter time.Duration
	ScaleTo                float64
}

// A Kind is the way in which a server divides itself among calls.
type Kind uint8

// The kinds of servers.
const (
	FIFO     Kind = iota // workers, each with one call, and one line before them
	Sharing              // all calls at once, each the slower the more there are
	Batching             // workers, each with many calls of one batch
)

// A Client is callers behind one limiter.
type Client struct {
	Absent bool // not there (yet)

	// Callers have one call at a time each, and make the next as soon as they
	// have their answer: a closed loop. After a failure they stay away for a
	// time of mean Backoff, exponential; 0 means 100 ms, below 0 is none.
	Callers int
	Think   Distribution // between an answer and the next call
	Backoff time.Duration

	// Rate is how many calls come per second from outside, whatever happens to
	// them, Together of them at each moment (0 means 1); the moments are
	// Poisson.
	Rate     float64
	Together int

	MaxWait time.Duration // in the limiter's queue; longer is shed; 0 is no bound
	Timeout time.Duration // of a call in flight: overdue; 0 is none
	GiveUp  time.Duration // of a call in flight: cancelled by the caller; 0 is never

	// Patience is how long a caller stands it in all, waiting and in flight.
	// The zero value is for ever.
	Patience Distribution

	Path   time.Duration // there and back
	Jitter Distribution  // added to each way

	// A call keeps its place in the limiter for Body after its answer has come,
	// as the body of an HTTP response does, with the probability BodyShare.
	Body      Distribution
	BodyShare float64

	// ClockError is how far the client's wall clock is off. ClockWithin adds to
	// it a part that is drawn for each seed, from as much too late to as much
	// too early.
	ClockError  time.Duration
	ClockWithin time.Duration

	// Policy is the policy of this client in place of the one under test.
	// Such a client is not counted in latency and goodput.
	Policy string

	// Unlimited callers go around any limiter and are not counted: other load
	// on the server.
	Unlimited bool
}

// counted reports whether the client is of those that are judged.
func (c *Client) counted() bool { return c.Policy == "" && !c.Unlimited }

// ends are when the phases end.
func (w *World) ends() (ends []time.Duration) {
	end := time.Duration(0)
	for _, p := range w.Phases {
		end += p.Long
		ends = append(ends, end)
	}
	return ends
}

// graded reports whether any phase is.
func (w *World) graded() bool {
	return slices.ContainsFunc(w.Phases, func(p Phase) bool { return !p.Ungraded })
}
