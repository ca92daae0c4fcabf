package limiter

import (
	"slices"
	"time"
)

// Kind says what an Event is about.
type Kind uint8

// The kinds of events.
const (
	Admitted     Kind = iota // a call has started
	Rejected                 // a call was not admitted
	Finished                 // a call has given back its place
	LimitChanged             // the policy gives another limit than before
	Paused                   // no call starts until Event.Until
)

var kindNames = [...]string{"admitted", "rejected", "finished", "limit changed", "paused"}

// String returns the name of k in lower case.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "kind(" + itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// An Event is one fact about a Limiter, with how the Limiter stood right after
// it. Events can be kept, compared and sent elsewhere: they refer to nothing.
type Event struct {
	Seq  uint64 // 1, 2, 3, … without gaps, in the order of the facts
	Kind Kind
	Time time.Time

	Limit    int
	InFlight int
	Queued   int

	Wait    time.Duration // Admitted and Rejected: how long the call waited
	Latency time.Duration // Finished: from start to report
	Outcome Outcome       // Finished
	Reason  Reason        // Rejected
	Cause   string        // LimitChanged: why, if the policy can tell
	Until   time.Time     // Paused
}

// events are on their way to the observer.
type events struct {
	observe    func(Event)
	panics     uint64 // of the observer
	seq        uint64
	pending    []Event
	spare      []Event // the array not in use
	delivering bool    // somebody is handing out events and will hand out the pending too
}

// record adds an event if anybody observes; mu is held. Where calls come by that
// do not wait, the question whether anybody does is asked before the call.
func (l *Limiter) record(e Event) {
	if l.events == nil {
		return
	}
	l.events.seq++
	e.Seq = l.events.seq
	e.Time = l.clock.time(l.clock.read())
	e.Limit, e.InFlight, e.Queued = l.limit, l.inFlight, l.queue.len
	l.events.pending = append(l.events.pending, e)
}

func (l *Limiter) paused(until instant) { l.record(Event{Kind: Paused, Until: l.clock.time(until)}) }

func (l *Limiter) limitChanged() {
	if l.events == nil {
		return
	}
	e := Event{Kind: LimitChanged}
	if r, ok := l.policy.(Reasoner); ok {
		e.Cause = r.Reason()
	}
	l.record(e)
}

// rejected counts a rejection; mu is held.
func (l *Limiter) rejected(r Reason, waited time.Duration) {
	l.stats.seldom().rejected[r]++
	l.record(Event{Kind: Rejected, Reason: r, Wait: waited})
}

// reject is rejected with an error for the caller; mu is held. The policy may be
// asked, and is told that it is now.
func (l *Limiter) reject(r Reason, cause error, waited time.Duration, now instant) error {
	l.rejected(r, waited)
	e := &RejectedError{
		Reason: r, Limit: l.limit, InFlight: l.inFlight, Queued: l.queue.len,
		Waited: waited, cause: cause,
	}
	e.RetryAfter = l.knownWait(now, l.queue.len) // the call is held back no longer
	if l.queue.len > 0 {
		e.RetryAfter = max(e.RetryAfter, l.pace.atLeast(l.queue.len, l.inFlight))
	}
	return e
}

// unlock lets mu go and then sees to it that the observer hears of what has
// happened. On the paths of every call its two lines stand in its place, since it
// is too large to be inlined.
func (l *Limiter) unlock() {
	l.mu.Unlock()
	l.tell()
}

// tell hands the pending events to the observer; mu is not held. Events are
// handed out by one goroutine at a time, which also hands out those that others
// add meanwhile: that keeps them in order, and keeps an observer that calls the
// Limiter from being called by itself.
func (l *Limiter) tell() {
	if l.events != nil {
		l.tellAll()
	}
}

// longestDelivery is how long one caller hands out events, about, before a
// goroutine takes over. An observer that is slower than the load would hold it
// for as long as the load lasts.
const longestDelivery = 100 * time.Millisecond

// tellAll is tell for a Limiter that is observed.
func (l *Limiter) tellAll() {
	l.mu.Lock()
	if l.events.delivering || len(l.events.pending) == 0 {
		l.mu.Unlock()
		return
	}
	l.events.delivering = true
	l.deliverAll(after(l.clock.read(), longestDelivery))
}

// deliverAll hands out the pending events, itself until the time is over, and
// lets mu go. It does so without a defer since an observer that ends the
// goroutine leaves it unlocked.
func (l *Limiter) deliverAll(until instant) {
	for batch := l.take(); len(batch) > 0; batch = l.take() {
		l.mu.Unlock()
		panics := l.deliver(batch, until)
		l.mu.Lock()
		l.events.panics += panics
		if until != 0 && l.clock.read() > until {
			l.mu.Unlock()
			go func() {
				l.mu.Lock()
				l.deliverAll(0)
			}()
			return
		}
	}
	l.events.delivering = false
	l.mu.Unlock()
}

// take returns some pending events, which are then no longer pending; mu is held.
// The array of those that it has returned before is used again.
func (l *Limiter) take() []Event {
	const most = 256
	e := l.events
	batch := e.pending
	if len(batch) > most {
		batch, e.pending = batch[:most:most], batch[most:]
		return batch
	}
	e.pending, e.spare = e.spare[:0], batch
	return batch
}

// deliver tells the observer of each event. If the observer panics it goes on
// with the next one: the caller whose goroutine this happens to be has a
// permit to receive and is not to blame.
func (l *Limiter) deliver(batch []Event, until instant) (panics uint64) {
	next, completed := 0, false
	defer func() {
		if next == len(batch) && completed {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.events.pending = append(slices.Clone(batch[next:]), l.events.pending...)
		if !completed { // The observer has ended the goroutine. The next caller takes over.
			l.events.panics += panics
			l.events.delivering = false
		}
	}()
	for next < len(batch) {
		e := batch[next]
		next++
		func() {
			defer func() {
				if recover() != nil {
					panics++
				}
			}()
			l.events.observe(e)
		}()
		if until != 0 && time.Since(l.clock.birth) > until { // birth is set once and for all
			break
		}
	}
	completed = true
	return panics
}
