package limiter

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/internal/patience"
)

type priorityKey struct{}

// WithPriority returns a copy of ctx with which calls wait at the given
// priority: of those that wait, the one with the highest priority starts first,
// and among equals the one that has waited longest. Calls without a priority
// have 0; priorities may be negative. Only calls that have to wait look at it.
//
// Nothing ages: as long as calls of a higher priority keep coming faster than
// they can start, those below do not start at all. Bound their wait with
// [MaxWait] or a deadline.
func WithPriority(ctx context.Context, priority int) context.Context {
	return context.WithValue(ctx, priorityKey{}, priority)
}

func priorityOf(ctx context.Context) int {
	p, _ := ctx.Value(priorityKey{}).(int)
	return p
}

// A wish is what the context of a call says about its waiting.
type wish struct {
	priority    int
	deadline    time.Time
	hasDeadline bool
	late        Reason // what it is called that the deadline has passed
}

func wishOf(ctx context.Context) wish {
	w := wish{priority: priorityOf(ctx)}
	if w.deadline, w.hasDeadline = ctx.Deadline(); w.hasDeadline {
		w.late = lateReason(ctx)
	}
	return w
}

// enqueue makes a call wait, or says why it cannot; mu is held.
func (l *Limiter) enqueue(w wish) (*call, error) {
	if err := l.hopeless(w); err != nil {
		return nil, err
	}
	if l.boundQueue && l.queue.len >= l.maxQueue {
		l.dispatch() // what has matured makes room
		if l.queue.len >= l.maxQueue && !l.evict(w.priority) {
			return nil, l.reject(QueueFull, nil, 0, l.clock.read())
		}
	}
	now := l.clock.read()
	first := l.queue.len == 0
	if first {
		if l.pace == nil {
			l.pace = new(pace)
		}
		l.pace.begin(now)
	}
	c := l.place()
	if c.waiter == nil {
		c.waiter = &waiter{ready: make(chan word, 1)}
	}
	c.state = waiting
	c.priority = w.priority
	c.queued = now
	l.queue.push(c)
	if l.constant && (!first || l.inFlight >= l.limit) {
		return c, nil // whoever makes room, or is in line before c, will look for it
	}
	l.asking = c
	l.dispatchAt(now, now)
	l.asking = nil
	return c, nil
}

// hopeless rejects a call that cannot start before its deadline, or before it
// will have waited for too long; mu is held.
func (l *Limiter) hopeless(w wish) error {
	if !w.hasDeadline && l.maxWait == 0 {
		return nil
	}
	now := l.clock.read()
	wait := l.knownWait(now, l.queue.len+1)
	if l.queue.len > 0 {
		wait = max(wait, l.pace.atLeast(l.queue.ahead(w.priority)+1, l.inFlight))
	}
	switch {
	case wait == 0:
	case w.hasDeadline && wait > time.Until(w.deadline):
		return l.reject(w.late, nil, 0, now)
	case l.maxWait > 0 && wait > l.maxWait:
		return l.reject(WaitedTooLong, nil, 0, now)
	}
	return nil
}

// knownWait returns how long no call will start for certain; mu is held. A pause
// is never shortened, and neither are the waits that policies of this package
// ask for. Those of others may be.
func (l *Limiter) knownWait(now instant, queued int) time.Duration {
	if ours(l.policy) {
		limit, wait := l.ask(now, queued)
		if wait == 0 && l.inFlight < limit && l.queue.len > 0 {
			// By the time alone there has become room, as when an experiment is over. Who
			// waits must not be the last to hear of it; here is no place to start a call.
			l.wakeAfter(0, now)
		}
		return wait
	}
	if l.pausedUntil != 0 {
		return l.pauseLeft()
	}
	return 0
}

// evict drops the newest call of the lowest class if it is below priority; mu
// is held. The newest goes because it has lost the least.
func (l *Limiter) evict(priority int) bool {
	c := l.queue.last()
	if c == nil || c.priority >= priority {
		return false
	}
	now := l.clock.read()
	l.queue.remove(c)
	l.pace.moved(now, l.inFlight)
	l.turnAway(c, Evicted, now-c.queued, now)
	return true
}

// turnAway tells a call that has been taken out of the queue that it will not
// start; mu is held.
func (l *Limiter) turnAway(c *call, why Reason, waited time.Duration, now instant) {
	c.state = evicted
	c.err = l.reject(why, nil, waited, now)
	c.tell()
}

// wait waits until c runs or gives up.
func (l *Limiter) wait(ctx context.Context, c *call) (Permit, error) {
	var expired <-chan time.Time
	if l.maxWait > 0 {
		if c.timer == nil {
			c.timer = time.NewTimer(l.maxWait)
		} else {
			c.timer.Reset(l.maxWait)
		}
		expired = c.timer.C
	}
	heard, reason, cause := c.listen(ctx, expired)
	for heard == nudged {
		l.lookAgain(c)
		heard, reason, cause = c.listen(ctx, expired)
	}
	if expired != nil {
		c.timer.Stop()
	}
	// Only a call that is told so leaves the queue without this goroutine, so
	// after the message its state is settled and can be read without the lock.
	if heard == settled && c.state == running {
		return Permit{c, c.generation}, nil
	}

	l.mu.Lock()
	var err error
	if c.state == waiting {
		now := l.clock.read()
		l.queue.remove(c)
		l.pace.moved(now, l.inFlight)
		err = l.reject(reason, cause, now-c.queued, now)
		l.free(c)
		l.dispatch() // it may have been the first in line
	} else {
		if heard != settled {
			<-c.ready // the message came in the very moment of giving up
		}
		if c.state == running {
			// Admitted first, then cancelled: the caller, who sees its context,
			// is the one to end the call. Taking the permit back here would
			// spend what the policy has given for nothing.
			l.unlock()
			return Permit{c, c.generation}, nil
		}
		err, c.err = c.err, nil
		l.free(c)
	}
	l.unlock()
	return Permit{}, err
}

// listen waits until c is told something, or gives up.
func (c *call) listen(ctx context.Context, expired <-chan time.Time) (heard word, why Reason, cause error) {
	ended := ctx.Done()
	if ended == nil && expired == nil {
		return <-c.ready, 0, nil // half the price of a select
	}
	select {
	case heard = <-c.ready:
		return heard, 0, nil
	case <-ended:
		return gaveUp, endReason(ctx), context.Cause(ctx)
	case <-expired:
		return gaveUp, WaitedTooLong, nil
	}
}

// lookAgain has c, which has been nudged, see whether there is room.
func (l *Limiter) lookAgain(c *call) {
	l.mu.Lock()
	c.nudged = false
	if c.state == waiting {
		l.asking = c
		l.dispatch()
		l.asking = nil
	}
	l.unlock()
}

// endReason says why ctx, which has ended, did so.
func endReason(ctx context.Context) Reason {
	if ctx.Err() == context.DeadlineExceeded {
		return lateReason(ctx)
	}
	return GaveUp
}

// lateReason says what it is called that the deadline of ctx has passed.
func lateReason(ctx context.Context) Reason {
	if patience.Bounds(ctx) {
		return WaitedTooLong
	}
	return Deadline
}

// A queue holds the calls that wait, by priority and then by arrival. There is
// a list for each priority that somebody waits at; most programs use one or a
// handful, so finding it is cheap and all else is constant.
type queue struct {
	len     int
	classes []class // the highest priority last, so that it is cheap to drop
}

type class struct {
	priority   int
	len        int
	head, tail *call
}

func (q *queue) find(priority int) (int, bool) {
	if len(q.classes) == 1 && q.classes[0].priority == priority {
		return 0, true
	}
	return slices.BinarySearchFunc(q.classes, priority, func(c class, p int) int { return cmp.Compare(c.priority, p) })
}

func (q *queue) push(c *call) {
	i, ok := q.find(c.priority)
	if !ok {
		q.classes = slices.Insert(q.classes, i, class{priority: c.priority})
	}
	k := &q.classes[i]
	c.prev, c.next = k.tail, nil
	if k.tail == nil {
		k.head = c
	} else {
		k.tail.next = c
	}
	k.tail = c
	k.len++
	q.len++
}

// ahead returns how many calls start before one that comes with a priority.
func (q *queue) ahead(priority int) int {
	n := 0
	for i := len(q.classes) - 1; i >= 0 && q.classes[i].priority >= priority; i-- {
		n += q.classes[i].len
	}
	return n
}

// pop takes out the call that is the first to start. The queue is not empty.
func (q *queue) pop() *call {
	c := q.first()
	q.remove(c)
	return c
}

// first returns the call that is the first to start, or nil.
func (q *queue) first() *call {
	if q.len == 0 {
		return nil
	}
	return q.classes[len(q.classes)-1].head
}

// last returns the newest call of the lowest class, or nil.
func (q *queue) last() *call {
	if q.len == 0 {
		return nil
	}
	return q.classes[0].tail
}

func (q *queue) remove(c *call) {
	i, _ := q.find(c.priority)
	k := &q.classes[i]
	if c.prev == nil {
		k.head = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		k.tail = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	k.len--
	q.len--
	if k.head == nil {
		q.classes = slices.Delete(q.classes, i, i+1)
	}
}
