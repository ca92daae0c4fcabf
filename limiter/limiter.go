package limiter

import (
	"context"
	"math"
	"sync"
	"time"
)

// A Limiter admits calls to something that can only do so many at once, and
// holds back those that its [Policy] does not yet allow. Calls that wait start
// in order of their priority and then of their arrival.
//
// Make one for each thing that can be overloaded (a host, a database, a disk)
// and share it among all who call that thing. [Do], [ForEach] and [Map] are the
// shortest ways to use one; Acquire is for everything else.
//
// A Limiter is safe for concurrent use. It starts no goroutine (but for an
// observer that cannot keep up, see [Observe]) and needs no closing. Its zero value
// admits everything and counts it.
type Limiter struct {
	// Locking: mu guards every field below it. The policy is called with mu
	// held, which is what makes it single-threaded. Nothing that can block and
	// no code of the user's but the policy runs with mu held: a waiting call
	// is told over a channel with room for the message, and events are handed
	// to the observer after mu has been let go (see tell in event.go). On the
	// paths of every call mu is not let go by a defer, which would cost a tenth
	// of them; a policy that panics lets it go on its way out (see guard).
	mu sync.Mutex

	policy   Policy // nil admits everything
	era      uint32 // counts policies, so that none hears of another's calls
	timed    bool   // the policy, or an observer, wants to know the time
	constant bool   // the policy's answer never changes: it is limit
	limit    int    // what the policy said last
	inFlight int
	queue    queue
	asking   *call // whose goroutine asks the policy for it, or tells it of its start; see abandon
	pace     *pace // nil before the first call waits

	clock       clock
	told        instant     // when the policy was asked or told last
	wake        *time.Timer // asks the policy again at wakeAt
	wakeAt      instant     // zero: not set
	pausedUntil instant     // zero: not paused

	idle  *call      // places for calls to come
	calls int        // in flight, waiting and idle
	lost  *orphanage // calls whose permits were garbage-collected
	stats counters

	// What many Limiters have no use for is behind pointers: there may be one
	// for each of a hundred thousand keys.
	*options
	events *events // nil: nobody observes
}

// New returns a Limiter that obeys p. It panics with a [*ConfigError] if p is
// nil or an option cannot be obeyed.
func New(p Policy, opts ...Option) *Limiter {
	l := &Limiter{options: &noOptions}
	if len(opts) > 0 {
		l.options = new(options)
	}
	for _, o := range opts {
		if o == nil {
			badConfig("New", "option", nil, "an Option")
		}
		o(l.options)
	}
	if l.observe != nil {
		l.events = &events{observe: l.observe}
	}
	l.SetPolicy(p)
	return l
}

// SetPolicy replaces the policy. Permits in flight stay valid and count as in
// flight for the new policy, which is not told of their outcomes. Calls that
// wait keep their places. It panics with a [*ConfigError] if p is nil.
func (l *Limiter) SetPolicy(p Policy) {
	if p == nil {
		badConfig("New or SetPolicy", "policy", nil, "a Policy, such as Unlimited()")
	}
	l.mu.Lock()
	l.policy = l.guard(p)
	l.era++
	l.timed = needsClock(p) || l.events != nil
	l.constant = false
	l.pace.begin(l.clock.read())
	l.ask(l.now(), l.queue.len)
	l.constant = isConstant(p) // from here on the answer is known
	l.dispatch()
	l.unlock()
}

// Acquire waits until the policy lets one more call start, and returns the
// permit to run it. The caller must release the permit when the call is over;
// since Release acts once, `defer p.Release()` right after Acquire is always
// correct.
//
// If the call is not admitted the error is a [*RejectedError]: because the
// queue is full, because it has waited for too long, or because ctx has ended.
// A ctx that has ended already never acquires. A call that by the pace at which
// others start cannot start before the deadline of ctx, or within [MaxWait], is
// told so at once. No permit is held in any of these cases.
func (l *Limiter) Acquire(ctx context.Context) (Permit, error) {
	if ctx.Err() != nil {
		return Permit{}, l.refuse(ctx)
	}
	l.mu.Lock()
	p, ok := l.try()
	if ok {
		l.mu.Unlock()
		l.tell()
		return p, nil
	}
	// It has to wait. What its context says is asked without the lock, since
	// contexts are the code of others; only the background says nothing.
	var w wish
	if ctx != context.Background() {
		l.unlock()
		w = wishOf(ctx)
		l.mu.Lock()
		if l.boundQueue && l.maxQueue == 0 { // it cannot queue for what has become free meanwhile
			if p, ok = l.try(); ok {
				l.unlock()
				return p, nil
			}
		}
	}
	c, err := l.enqueue(w)
	l.unlock()
	if err != nil {
		return Permit{}, err
	}
	return l.wait(ctx, c)
}

// refuse rejects a call whose context has ended before it asked.
func (l *Limiter) refuse(ctx context.Context) error {
	reason, cause := endReason(ctx), context.Cause(ctx)
	l.mu.Lock()
	if l.unprepared() {
		l.prepare()
	}
	err := l.reject(reason, cause, 0, l.clock.read())
	l.unlock()
	return err
}

// TryAcquire returns a permit if a call may start right now, and otherwise
// false. It never overtakes a call that waits.
func (l *Limiter) TryAcquire() (Permit, bool) {
	l.mu.Lock()
	p, ok := l.try()
	if !ok {
		l.rejected(Busy, 0)
	}
	l.unlock()
	return p, ok
}

// unprepared reports whether prepare has anything to do; mu is held.
func (l *Limiter) unprepared() bool { return l.lost == nil || l.lost.last.Load() != nil }

// prepare is what comes before every question; mu is held.
func (l *Limiter) prepare() {
	if l.lost == nil {
		l.lost = new(orphanage)
	}
	if l.options == nil { // the zero Limiter
		l.options = &noOptions
	}
	if l.policy == nil {
		l.policy, l.constant, l.limit = Unlimited(), true, math.MaxInt
	}
	if l.lost.last.Load() != nil {
		l.sweep()
	}
}

// try starts a call if nobody waits and the policy allows one at once; mu is
// held.
func (l *Limiter) try() (Permit, bool) {
	if l.unprepared() {
		l.prepare()
	}
	if l.queue.len > 0 {
		return Permit{}, false
	}
	now, limit := l.now(), l.limit
	if !l.constant || l.pausedUntil != 0 {
		var wait time.Duration
		if limit, wait = l.ask(now, 1); wait > 0 {
			return Permit{}, false
		}
	}
	if l.inFlight >= limit {
		return Permit{}, false
	}
	c := l.place()
	c.state = running
	l.asking = c
	l.start(c, now, now, 0)
	l.asking = nil
	return Permit{c, c.generation}, true
}

// now is the time, or zero if nobody wants to know; mu is held.
func (l *Limiter) now() instant {
	if !l.timed {
		return 0
	}
	return l.clock.read()
}

// ask asks the policy what bounds the next call; mu is held. queued counts the
// call that the question is about.
func (l *Limiter) ask(now instant, queued int) (limit int, wait time.Duration) {
	if l.constant {
		limit = l.limit
	} else {
		limit, wait = l.policy.Next(l.state(now, queued))
		if limit != l.limit {
			l.limit = limit
			l.limitChanged()
		}
	}
	if l.pausedUntil != 0 {
		wait = max(wait, l.pauseLeft())
	}
	return limit, wait
}

// start makes c a call in flight that has waited for a while; mu is held. The
// policy is told that it starts at the time at; real is when it truly does.
func (l *Limiter) start(c *call, at, real instant, waited time.Duration) {
	c.inFlight = true
	c.era = l.era
	c.started = real
	l.inFlight++
	l.stats.admitted++
	l.stats.peak = max(l.stats.peak, l.inFlight)
	if l.events != nil {
		l.record(Event{Kind: Admitted, Wait: waited})
	}
	if !l.constant {
		l.policy.Start(l.state(at, l.queue.len))
	}
}

// state is what the policy is told; mu is held.
func (l *Limiter) state(at instant, queued int) State {
	l.told = at
	return State{Now: at, Epoch: &l.clock.epoch, InFlight: l.inFlight, Queued: queued}
}
