package limiter

import "time"

// An Option sets something about a Limiter that is not its policy's business.
type Option func(*options)

type options struct {
	boundQueue bool
	maxQueue   int
	maxWait    time.Duration
	maxPause   time.Duration
	observe    func(Event)
	classify   func(error) Outcome
}

// noOptions are those of a Limiter that was made with none.
var noOptions options

// MaxQueue lets at most n calls wait. When the queue is full, a call that
// comes is rejected with [ErrQueueFull], unless it has a higher priority than
// one that waits: then the newest of the lowest class is rejected in its
// place. With n = 0 no call ever waits. Without this option the queue has no
// bound.
//
// New panics with a [*ConfigError] if n is negative.
func MaxQueue(n int) Option {
	if n < 0 {
		badConfig("MaxQueue", "n", n, "0 (no call waits) or more")
	}
	return func(o *options) { o.boundQueue, o.maxQueue = true, n }
}

// MaxWait lets no call wait for longer than d; then it is rejected with
// [ErrMaxWait]. Without this option only the call's context bounds its wait.
//
// It panics with a [*ConfigError] unless d is positive.
func MaxWait(d time.Duration) Option {
	if d <= 0 {
		badConfig("MaxWait", "d", d, "a positive duration (MaxQueue(0) for no waiting at all)")
	}
	return func(o *options) { o.maxWait = d }
}

// MaxPause bounds how long [Permit.Pause] may hold calls back. Without this
// option it is one minute, since the far side's word (a Retry-After of a year)
// must not stop a program.
//
// It panics with a [*ConfigError] unless d is positive.
func MaxPause(d time.Duration) Option {
	if d <= 0 {
		badConfig("MaxPause", "d", d, "a positive duration")
	}
	return func(o *options) { o.maxPause = d }
}

func (o *options) longestPause() time.Duration {
	if o.maxPause == 0 {
		return time.Minute
	}
	return o.maxPause
}

// Observe has f told of every [Event]: in order, one at a time, and never
// while the Limiter's lock is held, so f may call the Limiter. It runs in the
// goroutine of a caller of the Limiter, or of its timer, and delays that; hand
// what takes long to a channel. If f is slower than events come they wait in
// memory, and a goroutine that lives until they are handed out takes over. A panic
// in f is caught and counted in Stats.ObserverPanics.
//
// A Limiter that is observed reads the clock for each call.
//
// It panics with a [*ConfigError] if f is nil.
func Observe(f func(Event)) Option {
	if f == nil {
		badConfig("Observe", "f", nil, "a function")
	}
	return func(o *options) { o.observe = f }
}

// Classify sets how [Do], [ForEach] and [Map] read the error of a call, in
// place of [OutcomeOf]. f is called with nil too. A function for a database
// would say Refused to "too many connections" and leave the rest to OutcomeOf.
//
// It panics with a [*ConfigError] if f is nil.
func Classify(f func(error) Outcome) Option {
	if f == nil {
		badConfig("Classify", "f", nil, "a function")
	}
	return func(o *options) { o.classify = f }
}
