package limiter

import (
	"math"
	"time"
)

// A Policy decides how many calls may be in flight and how soon the next one
// may start. It is a state machine and nothing else: the Limiter that owns it
// calls its methods one at a time and hands it the time, so a Policy needs no
// lock, starts no goroutine and reads no clock. That is what makes policies
// testable with plain tables and replayable to the byte.
//
// A Policy with state belongs to one Limiter; two Limiters must not share it.
//
// Package limitertest checks an implementation against these rules:
//
//   - Next may be asked any number of times between two events; asking twice
//     with the same State gives the same answer.
//   - With nothing in flight a Policy must in time allow a call: either the
//     limit is at least 1, or wait is positive and the answer is better once
//     it has passed. Anything else would stop its Limiter for good.
//   - Start is followed by exactly one Report for the same call, unless the
//     Limiter has been given another Policy meanwhile.
type Policy interface {
	// Next says what bounds the next call: it may start as soon as fewer than
	// limit calls are in flight and wait has passed. A limit of zero or less
	// admits nothing. A wait of zero or less means at once. A positive wait
	// is also a request to be asked again when it is over.
	Next(s State) (limit int, wait time.Duration)

	// Start records that a call has started. s.InFlight counts it.
	Start(s State)

	// Report records how a call went. It comes when the answer arrives, which
	// may be well before the call's place is free again; s.InFlight still
	// counts the call until then.
	Report(s State, r Result)
}

// A Reasoner is a Policy that can say why its limit is what it is. The text is
// asked for whenever the limit has changed and somebody observes the Limiter;
// it should be short and name the cause ("refused", "queue 12.0 above 3.2").
type Reasoner interface {
	Reason() string
}

// A Clockless is a Policy that never looks at State.Now or State.Wall, which its
// having the method says. A Limiter that has such a Policy reads no clock on its fast
// path, which is most of what a call costs, unless it is observed; State.Now and
// Result.Latency may then be 0, and Stats.Latency stays empty. [Fixed], [Batch],
// [Unlimited] and All of them are Clockless.
type Clockless interface {
	Policy
	Clockless()
}

// State is what a Limiter tells its Policy about the moment of a call.
type State struct {
	// Now is the time that has passed since the Limiter first looked at the
	// clock. It never runs backwards and takes no part in changes of the wall
	// clock. It may be 0 for a policy that is [Clockless].
	Now time.Duration

	// Epoch points at what the wall clock said when Now was 0, as it would say
	// it today: it is looked up anew every second. Nil stands for the Unix
	// epoch. It must not be kept. Wall is what most policies want.
	Epoch *time.Time

	// InFlight is the number of calls that hold a place.
	InFlight int

	// Queued is the number of calls held back at this moment. While Next
	// decides about a call, it counts that call.
	Queued int
}

// Wall returns what the wall clock says, for policies that go by the time of
// day. It may run backwards when the clock is set.
func (s State) Wall() time.Time {
	if s.Epoch == nil {
		return time.Unix(0, int64(s.Now))
	}
	return s.Epoch.Add(s.Now)
}

// Result is the evidence of one call.
type Result struct {
	Outcome Outcome
	Hinted  bool // QueueDelay means something

	// Latency is the time from the start of the call to this report, never
	// negative. So the call started at State.Now less Latency; a Policy can
	// tell calls begun before its last decision from those that have felt it.
	Latency time.Duration

	// QueueDelay is for how long the far side says that the call has waited in
	// its queue, if Hinted; see [Permit.QueueDelay].
	QueueDelay time.Duration
}

func needsClock(p Policy) bool {
	_, free := p.(Clockless)
	return !free
}

// isConstant reports whether a policy of this package gives the same answer
// for ever and learns nothing, so that asking once is enough.
func isConstant(p Policy) bool {
	switch p.(type) {
	case fixed, unlimited:
		return true
	}
	return false
}

// Unlimited returns the Policy that admits every call at once. It is what the
// zero Limiter obeys. It is useful as a baseline, and for counting with
// [Limiter.Stats] what is not limited.
func Unlimited() Policy { return unlimited{} }

type unlimited struct{}

func (unlimited) Next(State) (int, time.Duration) { return math.MaxInt, 0 }
func (unlimited) Start(State)                     {}
func (unlimited) Report(State, Result)            {}
func (unlimited) Clockless()                      {}

// All returns the Policy that obeys every one of ps: the least of their limits
// and the longest of their waits, decided as one. A call starts when all of
// them allow it and is then counted by all of them, so nothing is held from
// one while another is waited for.
//
// All of nothing is [Unlimited]; All of one is that one. It panics with a
// [*ConfigError] if one of ps is nil.
func All(ps ...Policy) Policy {
	for i, p := range ps {
		if p == nil {
			badConfig("All", "policy "+itoa(i), nil, "a Policy")
		}
	}
	// Fixed parts never learn and never change: the least of them is enough.
	a := all{most: math.MaxInt}
	timed := false
	for _, p := range ps {
		if isConstant(p) {
			limit, _ := p.Next(State{})
			a.most = min(a.most, limit)
			continue
		}
		a.parts = append(a.parts, p)
		switch p.(type) {
		case *tokens, *batch:
		default:
			a.learners = append(a.learners, p)
		}
		timed = timed || needsClock(p)
	}
	switch {
	case len(a.parts) == 0 && a.most == math.MaxInt:
		return Unlimited()
	case len(a.parts) == 0:
		return Fixed(a.most)
	case len(a.parts) == 1 && a.most == math.MaxInt:
		return a.parts[0]
	case timed:
		return &a
	}
	return timelessAll{&a}
}

type all struct {
	most     int // the least of the limits that never change
	parts    []Policy
	learners []Policy // those of them that want reports
}

func (a *all) Next(s State) (limit int, wait time.Duration) {
	limit = a.most
	for _, p := range a.parts {
		l, w := p.Next(s)
		limit, wait = min(limit, l), max(wait, w)
	}
	return limit, wait
}

func (a *all) Start(s State) {
	for _, p := range a.parts {
		p.Start(s)
	}
}

func (a *all) Report(s State, r Result) {
	for _, p := range a.learners {
		p.Report(s, r)
	}
}

// Reason joins what the parts that can say why have to say.
func (a *all) Reason() string {
	text := ""
	for _, p := range a.parts {
		if r, ok := p.(Reasoner); ok && r.Reason() != "" {
			if text != "" {
				text += "; "
			}
			text += r.Reason()
		}
	}
	return text
}

// timelessAll is an all of which no part looks at the time.
type timelessAll struct{ *all }

// Clockless implements the interface of that name.
func (timelessAll) Clockless() {}
