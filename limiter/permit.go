package limiter

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A Permit is the right to run one call. It is a small value that may be
// copied and costs no allocation. The call has two moments that count, and a
// verb for each (Done is both in one):
//
//   - Report, when the answer arrives, says how it went. Latency is measured
//     from the start of the call to here.
//   - Release, when the call is over, gives back its place. For an HTTP
//     request that is the end of the body, which may be long after its head.
//
// Each acts once: the first Report counts, and after the first Release nothing
// does. Later and concurrent calls, on any copy, are harmless even when the
// place has been given to another call meanwhile.
//
// The zero Permit is valid and does nothing. A Permit is safe for concurrent
// use. If every copy of one is lost without a Release, the garbage collector
// finds out in time, the place is recovered by the next caller, and
// Stats.Leaked counts it.
type Permit struct {
	call       *call
	generation uint64
}

// Report says how the call went. Only the first report of a call counts, and
// none after its Release. An Outcome that this package does not know counts as
// Ignored.
func (p Permit) Report(o Outcome) {
	if p.call == nil {
		return
	}
	l := p.call.limiter
	l.mu.Lock()
	if p.current() && !p.call.reported {
		l.report(p.call.fate, o)
		if l.queue.len > 0 && !l.constant {
			l.dispatch() // the policy may have learnt that there is room
		}
	}
	l.mu.Unlock()
	l.tell()
}

// Release gives back the place of the call. A call that has not been reported
// counts as Ignored.
func (p Permit) Release() { p.Done(Ignored) }

// Done is Report and Release in one, for calls of which the answer is the end.
func (p Permit) Done(o Outcome) {
	c := p.call
	if c == nil {
		return
	}
	l := c.limiter
	l.mu.Lock()
	if p.current() {
		c.generation++ // before the policy is told, which might panic
		l.end(c.fate, o)
		l.free(c)
		if l.queue.len > 0 {
			l.dispatch()
		}
	}
	l.mu.Unlock()
	l.tell()
}

// Pause lets no call start for the time d, because the far side has asked for
// quiet (Retry-After). Pauses do not add up: the one that ends last counts. A
// pause is never longer than [MaxPause] allows, and calls in flight go on. It
// may be called as long as the permit has not been released.
func (p Permit) Pause(d time.Duration) {
	if p.call == nil || d <= 0 {
		return
	}
	l := p.call.limiter
	l.mu.Lock()
	if p.current() {
		l.pause(d)
	}
	l.mu.Unlock()
	l.tell()
}

// QueueDelay passes on for how long the far side says that this call has waited
// in its queue (a Server-Timing header, a field of an envelope), to be told before
// the call is reported. It is a hint to the Policy: [Adaptive] goes by it instead
// of its own estimate as long as at least half of the answers bring one. The other
// policies of this package do not need it. A negative time is no hint; the last
// one before the report counts.
func (p Permit) QueueDelay(d time.Duration) {
	if p.call == nil || d < 0 {
		return
	}
	l := p.call.limiter
	l.mu.Lock()
	if p.current() && !p.call.reported && !l.constant {
		p.call.latency = d + 1
	}
	l.mu.Unlock()
}

// current reports whether p still stands for its call; mu is held.
func (p Permit) current() bool {
	return p.call.generation == p.generation && p.call.state == running
}

// A call is a place in a Limiter. It waits, then runs, and is then idle until
// another call takes it over; its generation tells the calls apart.
//
// While a call runs nothing but its permits refers to it: that is how the
// garbage collector can tell that it has been lost.
type call struct {
	limiter    *Limiter
	generation uint64
	*fate
	*waiter       // nil if it has never waited
	next    *call // in the queue, or among the idle
	state   callState
}

// A waiter is what a call needs only while it waits. It stays with its call.
type waiter struct {
	priority int
	queued   instant
	ready    chan word   // has room for one
	nudged   bool        // and not told since
	err      error       // why it was evicted
	timer    *time.Timer // for MaxWait
	prev     *call       // in the queue
}

// A fate is what has to be known of a running call even when its permits have
// been lost and it with them. It outlives its call and refers to nothing.
type fate struct {
	inFlight bool
	reported bool
	dropped  bool // its call is no longer counted
	outcome  Outcome
	era      uint32        // of the policy that was told of the start
	started  instant       // zero if nobody wanted to know
	latency  time.Duration // from start to report; until then 1 ns more than a hint of QueueDelay, or 0
	next     *fate         // in the orphanage
}

// An orphanage is where the garbage collector leaves the fates of calls whose
// permits it has found lost: a list that needs no lock.
type orphanage struct{ last atomic.Pointer[fate] }

func (o *orphanage) leave(f *fate) {
	for {
		f.next = o.last.Load()
		if o.last.CompareAndSwap(f.next, f) {
			return
		}
	}
}

// take returns one of them, or nil; mu of the Limiter is held, so nobody else
// takes any.
func (o *orphanage) take() *fate {
	for {
		f := o.last.Load()
		if f == nil || o.last.CompareAndSwap(f, f.next) {
			return f
		}
	}
}

// A word is what a call that waits is told.
type word uint8

const (
	settled word = iota // its state has changed
	nudged              // see nudge
	gaveUp              // nothing: it waits no longer
)

// tell tells a call that has been taken out of the queue that its state has
// changed; mu is held.
func (w *waiter) tell() {
	if w.nudged { // there is room for one word only
		w.nudged = false
		select {
		case <-w.ready:
		default: // it has been heard just now
		}
	}
	w.ready <- settled
}

type callState uint8

const (
	idle callState = iota
	waiting
	running
	evicted
)

// place returns a call that is not in use; mu is held.
func (l *Limiter) place() *call {
	c := l.idle
	if c == nil {
		return l.newCall()
	}
	l.idle, c.next = c.next, nil
	return c
}

// leastSpare is how many idle calls are kept in any case.
const leastSpare = 64

// newCall makes a call for when none is idle; mu is held.
func (l *Limiter) newCall() *call {
	type lost struct {
		to *orphanage
		f  *fate
	}
	l.calls++
	c := &call{limiter: l, fate: new(fate)}
	// The cleanup must touch neither the limiter's lock nor a channel: it runs
	// in a goroutine of the runtime's, which belongs to no synctest bubble and
	// must not be held up. It takes a note; the next caller sweeps.
	runtime.AddCleanup(c, func(x lost) { x.to.leave(x.f) }, lost{l.lost, c.fate})
	return c
}

// free makes c idle; mu is held. When far more are idle than are in use it drops
// two, or a rush would be paid for as long as the Limiter lives.
func (l *Limiter) free(c *call) {
	c.state = idle
	busy := l.inFlight + l.queue.len
	if spare := l.calls - busy; spare > leastSpare && spare > busy && l.idle != nil {
		other := l.idle
		l.idle = other.next
		c.dropped, other.dropped = true, true
		l.calls -= 2
		return
	}
	c.reported, c.latency = false, 0 // the rest is set anew in any case
	c.next, l.idle = l.idle, c
}

// report counts the outcome of a call, which may have just been taken out of flight,
// and passes it on to the policy; mu is held.
func (l *Limiter) report(c *fate, o Outcome) {
	if o >= outcomes {
		o = Ignored
	}
	c.reported, c.outcome = true, o
	l.stats.outcomes[o]++
	if l.constant && !l.timed {
		return // nobody wants to know more
	}
	now := l.now()
	r := Result{Outcome: o}
	if c.latency != 0 {
		r.QueueDelay, r.Hinted, c.latency = c.latency-1, true, 0
	}
	if now != 0 && c.started != 0 {
		c.latency = now - c.started
		if o == Success {
			l.stats.latency.add(c.latency)
		}
	}
	if !c.inFlight {
		l.finished(c) // before the policy is told, which might panic
	}
	if !l.constant && c.era == l.era {
		s := l.state(now, l.queue.len)
		if !c.inFlight {
			s.InFlight++ // a policy is told with the call still counted
		}
		r.Latency = c.latency
		l.policy.Report(s, r)
	}
}

// end takes a call out of flight, with the outcome o if none has been reported;
// mu is held. The call itself may be no more.
func (l *Limiter) end(c *fate, o Outcome) {
	c.inFlight = false
	l.inFlight--
	if c.reported {
		l.finished(c)
	} else {
		l.report(c, o)
	}
}

// finished tells the observer that a call has given back its place; mu is held.
func (l *Limiter) finished(c *fate) {
	if l.events != nil {
		l.record(Event{Kind: Finished, Outcome: c.outcome, Latency: c.latency})
	}
}

// sweep recovers the places of permits that have been garbage-collected; mu is
// held.
func (l *Limiter) sweep() {
	for f := l.lost.take(); f != nil; f = l.lost.take() {
		if f.inFlight { // not one that a panic has made us forget
			l.stats.seldom().leaked++
			l.end(f, Ignored)
		}
		if !f.dropped {
			l.calls--
		}
	}
	l.dispatch()
}

// pause holds back every call until d from now; mu is held. It need not see to a
// wake-up: who waits now has one already, or waits for a place, and whoever gives
// back a place looks.
func (l *Limiter) pause(d time.Duration) {
	now := l.clock.read()
	l.pace.begin(now) // what it saw no longer holds
	if until := after(now, min(d, l.longestPause())); until > l.pausedUntil {
		l.pausedUntil = until
		l.paused(until)
	}
}

// pauseLeft returns how long the pause still lasts, and forgets it when it is
// over; mu is held.
func (l *Limiter) pauseLeft() time.Duration {
	now := l.clock.read()
	left := l.pausedUntil - now
	if left <= 0 {
		l.pausedUntil = 0
		l.pace.begin(now) // the pause was not its pace
	}
	return left
}
