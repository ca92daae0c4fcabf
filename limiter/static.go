package limiter

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// Fixed returns the Policy that lets at most n calls be in flight: as soon as
// one ends the next may start. It is the right choice when you know the number
// of places on the far side, such as connection slots or worker processes. The
// place to start without measuring is Little's law, n = calls per second that
// the far side can do × seconds that one call takes there.
//
// It panics with a [*ConfigError] unless n is at least 1.
func Fixed(n int) Policy {
	if n < 1 {
		badConfig("Fixed", "n", n, "at least 1")
	}
	return fixed(n)
}

type fixed int

func (n fixed) Next(State) (int, time.Duration) { return int(n), 0 }
func (n fixed) Start(State)                     {}
func (n fixed) Report(State, Result)            {}
func (n fixed) clockless()                      {}

// Batch returns the Policy that works in batches: up to n calls start, and
// then none until all of them have ended. A batch therefore takes as long as
// its slowest call, and places stand empty until that one is done: with
// uneven calls [Fixed] with the same n is never slower and often twice as
// fast. Batch is for far sides that want to be left in peace between batches,
// and for comparison.
//
// A batch need not be full: calls that come while it runs join it until n have
// started. It panics with a [*ConfigError] unless n is at least 1.
func Batch(n int) Policy {
	if n < 1 {
		badConfig("Batch", "n", n, "at least 1")
	}
	return &batch{size: n}
}

type batch struct {
	size    int
	started int // calls of the running batch that have started
}

func (b *batch) Next(s State) (int, time.Duration) {
	if s.InFlight > 0 && b.started >= b.size {
		return 0, 0 // closed until the last one has ended
	}
	return b.size, 0
}

func (b *batch) Start(s State) {
	if s.InFlight <= 1 { // the first of a new batch
		b.started = 0
	}
	b.started++
}

func (b *batch) Report(State, Result) {}
func (b *batch) clockless()           {}

// Rate returns the Policy that lets calls start at a rate of r per second on
// average and burst at once after a pause: a token bucket that holds burst
// tokens, fills at r per second and gives one to each call. It does not bound
// how many calls are in flight; when calls can be slow, use it together with
// another Policy: All(Rate(r, burst), Fixed(n)).
//
// Tokens are taken when a call starts and not when it begins to wait, so a
// caller that gives up costs nothing. rate.Inf is a valid rate and admits
// everything.
//
// It panics with a [*ConfigError] unless r is greater than 0 (NaN is not) and
// burst is at least 1.
func Rate(r rate.Limit, burst int) Policy {
	if !(r > 0) {
		badConfig("Rate", "r", float64(r), "more than 0 calls per second")
	}
	if burst < 1 {
		badConfig("Rate", "burst", burst, "at least 1")
	}
	if r == rate.Inf {
		return Unlimited()
	}
	return &tokens{bucket: rate.NewLimiter(r, burst)}
}

// tokens drives a rate.Limiter with times passed in. It takes a token only in
// Start, and it never reserves one ahead: reservations of x/time/rate cannot
// be given back in full once somebody has queued behind them.
type tokens struct {
	bucket *rate.Limiter
	sure   int // whole tokens that there were when the bucket was last asked, less those taken
}

func (t *tokens) Next(s State) (int, time.Duration) {
	if t.sure > 0 { // time only adds to them
		return math.MaxInt, 0
	}
	there := t.bucket.TokensAt(bucketTime(s))
	wait := (1 - there) / float64(t.bucket.Limit()) * float64(time.Second)
	switch {
	case wait < 1: // less than a nanosecond: AllowN rounds it down as well
		t.sure = int(math.Min(there, math.MaxInt32))
		return math.MaxInt, 0
	case wait >= float64(math.MaxInt64):
		return math.MaxInt, math.MaxInt64
	}
	// Rounded up, since a wake-up that comes a nanosecond early finds no token.
	return math.MaxInt, time.Duration(math.Ceil(wait))
}

func (t *tokens) Start(s State) {
	t.bucket.AllowN(bucketTime(s), 1)
	t.sure = max(0, t.sure-1)
}

func (t *tokens) Report(State, Result) {}

// bucketTime is the time as x/time/rate takes it. Only differences matter to it.
func bucketTime(s State) time.Time { return time.Unix(0, int64(s.Now)) }
