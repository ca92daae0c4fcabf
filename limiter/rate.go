package limiter

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

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
	return &tokens{rate: r, burst: float64(burst), there: float64(burst)}
}

// tokens is the bucket of golang.org/x/time/rate as a state machine: the same
// arithmetic to the last bit, without a lock and a calendar, which are three
// quarters of what AllowN costs and which a Policy does not need. Tokens are
// taken in Start and never reserved ahead, since reservations cannot be given
// back in full once somebody has queued behind them.
type tokens struct {
	rate  rate.Limit
	burst float64
	there float64 // tokens at the time at
	at    time.Duration
}

func (t *tokens) Next(s State) (int, time.Duration) {
	if t.there >= 1 { // time only adds to them
		return math.MaxInt, 0
	}
	wait := (1 - t.level(s.Now)) / float64(t.rate) * float64(time.Second)
	if wait >= float64(math.MaxInt64) {
		return math.MaxInt, math.MaxInt64
	}
	return math.MaxInt, time.Duration(max(0, wait)) // less than a nanosecond is nothing
}

func (t *tokens) Start(s State) { t.there, t.at = t.level(s.Now)-1, s.Now }

func (t *tokens) Report(State, Result) {}

// level returns how many tokens there are.
func (t *tokens) level(now time.Duration) float64 {
	return min(t.burst, t.there+max(0, now-t.at).Seconds()*float64(t.rate))
}
