package limiter

import (
	"time"

	"github.com/tidegate-go/tidegate/internal/trusted"
)

// guard returns p, or, if p is not of this project, a Policy that lets mu go if p
// panics. So the mistake of one policy is a panic that a caller can recover from
// and not a program that stands still. Only when a timer asks is there no caller:
// that panic ends the program, like one in any goroutine.
func (l *Limiter) guard(p Policy) Policy {
	if _, ok := p.(trusted.Policy); ok || ours(p) {
		return p
	}
	return guarded{p, l}
}

// ours reports whether p is of this package, all through.
func ours(p Policy) bool {
	switch p := p.(type) {
	case unlimited, fixed, *batch, *tokens, *aimd, *vegas, *gradient2, *gradient, *adaptive:
		return true
	case *all:
		return allOurs(p.parts)
	case timelessAll:
		return allOurs(p.parts)
	}
	return false
}

func allOurs(ps []Policy) bool {
	for _, p := range ps {
		if !ours(p) {
			return false
		}
	}
	return true
}

type guarded struct {
	policy  Policy
	limiter *Limiter
}

func (g guarded) Next(s State) (limit int, wait time.Duration) {
	returned := false
	defer g.check(&returned)
	limit, wait = g.policy.Next(s)
	returned = true
	return limit, wait
}

func (g guarded) Start(s State) {
	returned := false
	defer g.check(&returned)
	g.policy.Start(s)
	returned = true
}

func (g guarded) Report(s State, r Result) {
	returned := false
	defer g.check(&returned)
	g.policy.Report(s, r)
	returned = true
}

// Reason forwards to the policy if it can say why.
func (g guarded) Reason() string {
	r, ok := g.policy.(Reasoner)
	if !ok {
		return ""
	}
	returned := false
	defer g.check(&returned)
	text := r.Reason()
	returned = true
	return text
}

// check lets the mutex go if the policy has not returned. It does not recover,
// so the panic keeps its stack.
func (g guarded) check(returned *bool) {
	if !*returned {
		g.limiter.abandon()
		g.limiter.nudge()
		g.limiter.mu.Unlock()
	}
}

// abandon gives up the call whose goroutine a panic has stopped while it asked for
// itself; mu is held. Nobody would listen when its turn came, and if it has been
// started already nobody has its permit: the place would be lost until the garbage
// collector finds out and another caller comes, which may be never.
func (l *Limiter) abandon() {
	c := l.asking
	l.asking = nil
	switch {
	case c == nil:
	case c.state == waiting:
		l.queue.remove(c)
		l.rejected(GaveUp, 0)
		l.free(c)
		if l.queue.len == 0 {
			l.stopWaking()
		}
	case c.state == running && c.inFlight:
		l.abort(c)
	}
}

// abort ends a call that a panic has kept from its caller; mu is held. The policy, whose
// panic it was, is told like of any end; if it panics again the first panic is the one
// that counts.
func (l *Limiter) abort(c *call) {
	if c.waiter != nil {
		select {
		case <-c.ready: // that it runs, or a nudge from when it waited: nobody will hear it
		default:
		}
		c.nudged = false
	}
	c.generation++
	g := l.policy
	if foreign, ok := g.(guarded); ok {
		l.policy = foreign.policy // which leaves mu held
	}
	defer func() {
		_ = recover()
		l.policy = g
		l.free(c)
	}()
	l.end(c.fate, Ignored)
}

// nudge has the first in line see for itself whether it may start, since whoever
// was about to look has been stopped by a panic; mu is held. If the policy panics
// again, that call hears of it, and so on down the line.
func (l *Limiter) nudge() {
	if c := l.queue.first(); c != nil && !c.nudged {
		c.nudged = true
		c.ready <- nudged
	}
}
