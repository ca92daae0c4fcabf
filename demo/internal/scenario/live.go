package scenario

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A LiveMaker makes real limiters of one sort: what goroutines call, and not a
// Policy.
type LiveMaker struct {
	Name, About string
	New         func(Setup) Live
}

// A Live is a real limiter.
type Live interface {
	// Acquire waits until the limiter lets the call run, turns it away, or
	// ctx ends. Each call is a goroutine.
	Acquire(ctx context.Context) (Place, error)

	Limit() int // at this moment
}

// A Place is the right to run one call. Either Done ends it, or Report when the
// answer comes and Release when its body has been read. A limiter.Permit is one.
type Place interface {
	Done(o limiter.Outcome)
	Report(o limiter.Outcome)
	Release()
	Pause(d time.Duration) // the server has asked for it
}

// Play is Run with real limiters in place of policies. All else stays the
// simulation: server, callers, chance, record and oracle. Its clock is the one of
// the bubble, in which bubble has to run play, such as
//
//	func(play func(settle func())) {
//		synctest.Test(t, func(*testing.T) { play(synctest.Wait) })
//	}
//
// so that a limiter's own clocks and timers agree with it. Settle waits until every
// goroutine of the bubble is blocked.
//
// Clocks that are off (Client.ClockError, ClockWithin) are not played: a process has
// one clock. The wall clock of a run is otherwise that of Run with the same seed.
func (l *Lab) Play(w *World, m LiveMaker, seed uint64, bubble func(play func(settle func()))) *Result {
	l.prepare(w, seed) // outside the bubble, whose time stands still as long as anybody works
	var s *simulation
	bubble(func(settle func()) {
		s = newSimulation(w, seed, false, nil)
		s.stage = &stage{simulation: s, settle: settle, bell: make(chan struct{}, 1), newLive: func(client int) Live {
			return m.New(Setup{Initial: w.Initial, Seed: uint64(client)})
		}}
		time.Sleep(time.Until(s.wall))
		s.stage.play()
	})
	return l.grade(w, m.Name, seed, s)
}

// A stage plays a simulation in time that passes: the callers at the gates are
// goroutines that wait for real limiters. Everything else happens in the goroutine
// of the stage, one event after the other.
type stage struct {
	*simulation
	settle  func()
	newLive func(client int) Live
	timer   *time.Timer

	actors []actor // beside the calls of the simulation
	turns  uint64
	absent int // goroutines that are not back yet

	mu   sync.Mutex
	back []comeback    // since the stage has looked
	bell chan struct{} // rings when one is back
}

// An actor is what belongs to a call of the simulation.
type actor struct {
	cancel context.CancelFunc // of its wait
	place  Place              // while it runs
}

// A comeback is the end of a wait.
type comeback struct {
	turn       uint64 // in the order in which they have begun to wait
	call       int32
	generation uint32
	place      Place
	err        error
}

// play plays the world to its end, and then has everybody go home: no goroutine
// outlives its bubble.
func (s *stage) play() {
	s.timer = time.NewTimer(time.Hour)
	defer s.timer.Stop()
	s.run()
	for range 100 {
		for i := range s.actors {
			if a := &s.actors[i]; a.place != nil {
				a.place.Release()
				a.place = nil
			}
			if cancel := s.actors[i].cancel; cancel != nil {
				cancel()
			}
		}
		for _, b := range s.looked() {
			if b.err == nil {
				b.place.Release()
			}
		}
		if s.absent == 0 {
			return
		}
		time.Sleep(time.Second) // some may wait for a timer
	}
}

// waits sends a call to the limiter of its gate.
func (s *stage) waits(g *gate, c int32) {
	for len(s.actors) <= int(c) {
		s.actors = append(s.actors, actor{})
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.actors[c] = actor{cancel: cancel}
	b := comeback{turn: s.turns, call: c, generation: s.calls[c].generation}
	s.turns++
	s.absent++
	go func() {
		defer cancel()
		b.place, b.err = g.live.Acquire(ctx)
		s.mu.Lock()
		s.back = append(s.back, b)
		s.mu.Unlock()
		select {
		case s.bell <- struct{}{}:
		default:
		}
	}()
	s.settle() // so that they stand in line as they came
}

// goes is a call that leaves the line.
func (s *stage) goes(c int32) { s.actors[c].cancel() }

// looked returns who has come back, in the order in which they began to wait.
func (s *stage) looked() []comeback {
	s.settle()
	s.mu.Lock()
	back := s.back
	s.back = nil
	s.mu.Unlock()
	s.absent -= len(back)
	slices.SortFunc(back, func(a, b comeback) int { return cmp.Compare(a.turn, b.turn) })
	return back
}

// passes lets time pass until at. If a limiter has let anybody in, or turned
// anybody away, it sends them on their way instead and reports true: what comes
// next may then be something else.
func (s *stage) passes(at time.Duration) (changed bool) {
	for {
		if back := s.looked(); len(back) > 0 {
			for _, b := range back {
				s.send(b)
			}
			return true
		}
		left := at - s.time()
		if left <= 0 {
			return false
		}
		s.timer.Reset(left)
		select {
		case <-s.timer.C:
		case <-s.bell:
			s.now = s.time()
		}
	}
}

// time is how long the stage has played.
func (s *stage) time() time.Duration { return time.Since(s.wall) }

// send sends a call whose wait has ended on its way.
func (s *stage) send(b comeback) {
	k := &s.calls[b.call]
	switch {
	case k.generation != b.generation || !k.waiting:
		// Let in as its caller left.
		if b.err == nil {
			b.place.Release()
		}
	case b.err != nil:
		s.drop(b.call)
	default:
		s.actors[b.call].place = b.place
		s.start(&s.gates[s.clients[k.client].gate], b.call)
	}
}

// ended ends a call at its limiter. The place of one that has a body to be read is
// kept for body, a call that stands for it.
func (s *stage) ended(c int32, o limiter.Outcome, body int32) {
	place := s.actors[c].place
	s.actors[c].place = nil
	if body == none {
		place.Done(o)
		return
	}
	place.Report(o)
	for len(s.actors) <= int(body) {
		s.actors = append(s.actors, actor{})
	}
	s.actors[body] = actor{place: place}
}

// read ends the body of a call.
func (s *stage) read(body int32) {
	s.actors[body].place.Release()
	s.actors[body].place = nil
}
