package limiter

import (
	"math"
	"time"
)

// AIMDConfig configures [AIMD]. The zero value is the one that Netflix
// concurrency-limits uses.
type AIMDConfig struct {
	Initial int           // the limit to start with; 0 means 20, or Max if that is less
	Min     int           // the least limit; 0 means 20, or Initial or Max if that is less
	Max     int           // the greatest limit; 0 means 200, or Initial or Min if that is more
	Backoff float64       // what a loss multiplies the limit by, at least 0.5 and below 1; 0 means 0.9
	Timeout time.Duration // an answer that takes longer counts as a loss; 0 means 5 s
}

// AIMD returns the Policy of additive increase and multiplicative decrease, as
// AIMDLimit of Netflix concurrency-limits defines it:
//
//	refused, overdue, or slower than Timeout:  limit = limit × Backoff
//	success while in flight ≥ limit / 2:       limit = limit + 1
//
// It knows only of losses: it fills whatever queue there is until calls are
// refused or run out of time, backs off, and fills it again. Since the
// increase comes with every success and not with every round trip, it is
// exponential in time. Losses within one round trip each multiply, so a burst
// of them takes the limit to Min at once. It is here because people know it,
// and for comparison; [Adaptive] is the one to use.
//
// Failed, cancelled and ignored calls change nothing. AIMD panics with a
// [*ConfigError] if c cannot be obeyed.
func AIMD(c AIMDConfig) Policy {
	setRange(&c.Initial, &c.Min, &c.Max, 20, 20, 200)
	setDefault(&c.Backoff, 0.9)
	setDefault(&c.Timeout, 5*time.Second)
	checkRange("AIMDConfig", c.Initial, c.Min, c.Max)
	if !(c.Backoff >= 0.5 && c.Backoff < 1) {
		badConfig("AIMDConfig", "Backoff", c.Backoff, "at least 0.5 and below 1")
	}
	if c.Timeout < 0 {
		badConfig("AIMDConfig", "Timeout", c.Timeout, "a positive duration")
	}
	return &aimd{AIMDConfig: c, limit: c.Initial, reason: "initial"}
}

type aimd struct {
	AIMDConfig
	limit  int
	reason string
}

func (a *aimd) Next(State) (int, time.Duration) { return a.limit, 0 }
func (a *aimd) Start(State)                     {}
func (a *aimd) Reason() string                  { return a.reason }

func (a *aimd) Report(s State, r Result) {
	lost := r.Outcome == Refused || r.Outcome == Overdue
	slow := r.Outcome == Success && r.Latency > a.Timeout
	switch {
	case lost || slow:
		a.limit = max(a.Min, int(float64(a.limit)*a.Backoff))
		a.reason = r.Outcome.String()
		if slow {
			a.reason = "slower than the timeout"
		}
	case r.Outcome == Success && 2*s.InFlight >= a.limit:
		a.limit = min(a.Max, a.limit+1)
		a.reason = "success"
	}
}

// setDefault sets a field that was left out.
func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// setRange sets what was left out of the bounds of a limit to the values that
// are usual, or to the nearest that fit what was given.
func setRange(initial, least, most *int, usual, usualLeast, usualMost int) {
	setDefault(most, max(usualMost, *initial, *least))
	setDefault(initial, max(*least, min(usual, *most)))
	setDefault(least, max(1, min(usualLeast, *initial, *most)))
}

// checkRange checks the bounds that every policy with a changing limit has.
func checkRange(of string, initial, least, most int) {
	if least < 1 {
		badConfig(of, "Min", least, "at least 1")
	}
	if most < least || most > math.MaxInt32 {
		badConfig(of, "Max", most, "at least Min ("+itoa(least)+") and at most "+itoa(math.MaxInt32))
	}
	if initial < least || initial > most {
		badConfig(of, "Initial", initial, "between Min ("+itoa(least)+") and Max ("+itoa(most)+")")
	}
}
