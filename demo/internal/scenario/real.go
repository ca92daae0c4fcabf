package scenario

import (
	"context"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A LimiterMaker makes real limiters of one sort, where a Maker makes policies.
type LimiterMaker struct {
	Name, About string
	New         func(Setup) Limiter

	// Oracle says that New wants Setup.Oracle.
	Oracle bool
}

// A Limiter is a real one, of this library or of another: what goroutines call.
type Limiter interface {
	// Acquire waits until the limiter lets the call run, turns it away, or ctx
	// ends. Every call asks in a goroutine of its own.
	Acquire(ctx context.Context) (Permit, error)

	Limit() int // at this moment
}

// A Permit is the right to run one call. Either Done ends it, or Report when the
// answer has come and Release when its body has been read. A limiter.Permit is one.
type Permit interface {
	Done(o limiter.Outcome)
	Report(o limiter.Outcome)
	Release()
	Pause(d time.Duration) // the server has asked for it
}

// Play is Run with real limiters in place of policies. All else is the simulation:
// server, callers, chance, record and oracle. It has to be called in a bubble of
// testing/synctest, of which wait is the Wait, so that the clocks and timers of the
// limiters are those of the simulation:
//
//	synctest.Test(t, func(*testing.T) { result = lab.Play(w, m, seed, synctest.Wait) })
//
// The wall clock is that of Run with the same seed. A process has one clock, so the
// errors of those of clients (Client.ClockError, ClockWithin) are left out.
func (l *Lab) Play(w *World, m LimiterMaker, seed uint64, wait func()) *Result {
	s := newSimulation(w, seed, false, nil)
	s.bubble = &bubble{simulation: s, wait: wait, answers: make(chan answer), newLimiter: func(client int) Limiter {
		return m.New(l.setup(w, m.Oracle, client))
	}}
	time.Sleep(time.Until(s.wall))
	s.bubble.play()
	return l.grade(w, m.Name, seed, s)
}
