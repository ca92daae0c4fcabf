package limiter

import "time"

// maxLag is how late a wake-up may be and still start calls as if it had been
// on time. Timers fire late by up to a millisecond or so under load; without
// this a rate of thousands per second would fall short by as much. It is
// bounded because calls that start late start together.
const maxLag = 10 * time.Millisecond

// dispatch starts waiting calls, in order, for as long as the policy allows;
// mu is held.
func (l *Limiter) dispatch() {
	switch {
	case l.queue.len == 0:
		l.stopWaking()
	case l.lost.last.Load() != nil:
		l.sweep()
	default:
		now := l.clock.read()
		l.dispatchAt(now, now)
	}
}

// dispatchAt is dispatch for a wake-up that was due at the time at and comes
// at the time real. As long as calls that were due start, the policy is told
// the time at which they were due.
func (l *Limiter) dispatchAt(at, real instant) {
	late := at < real
	for l.queue.len > 0 {
		limit, wait := l.ask(at, l.queue.len)
		if wait > 0 {
			if next := after(at, wait); late && next <= real {
				at, late = next, false
				continue
			}
			l.wakeAfter(wait-(real-at), real)
			return
		}
		if l.inFlight >= limit {
			break
		}
		c := l.queue.pop()
		waited := real - c.queued
		l.pace.moved(real, l.inFlight)
		if l.maxWait > 0 && waited > l.maxWait {
			// Its own timer has come too late: the program is overloaded, and
			// those that came after it may still be in time.
			l.turnAway(c, WaitedTooLong, waited, at)
			continue
		}
		l.stats.seldom().waiting.add(waited)
		// Told before the policy is, which might panic. From here on c's state
		// is the waiting goroutine's to read; with its place it can do nothing
		// before mu is let go.
		c.state = running
		c.tell()
		l.start(c, at, real, waited)
		late = at < real
	}
	l.stopWaking()
}

// stopWaking takes back what wakeAfter has asked for; mu is held. A timer that
// is left to itself would keep the Limiter in memory until it fires.
func (l *Limiter) stopWaking() {
	if l.wakeAt != 0 {
		l.wake.Stop()
		l.wakeAt = 0
	}
}

// wakeAfter sees to it that the policy is asked again after d; mu is held.
func (l *Limiter) wakeAfter(d time.Duration, now instant) {
	at := after(now, d)
	if at == l.wakeAt {
		return
	}
	l.wakeAt = at
	if l.wake == nil {
		l.wake = time.AfterFunc(d, l.woken)
	} else {
		l.wake.Reset(d)
	}
}

// woken is called by the timer, in a goroutine of its own.
func (l *Limiter) woken() {
	l.mu.Lock()
	now, due := l.clock.read(), l.wakeAt
	if due == 0 || due > now {
		l.unlock()
		return // stopped, or set anew, just as it fired
	}
	l.wakeAt = 0
	l.prepare()
	if l.queue.len > 0 {
		l.dispatchAt(max(due, now-maxLag, l.told), now)
	}
	l.unlock()
}
