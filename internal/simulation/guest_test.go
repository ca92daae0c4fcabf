package simulation

import (
	"context"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A turn is when a guest came to a Limiter and when it was let in.
type turn struct {
	came, admitted time.Duration
	priority       int
}

// visit uses the Limiter of a host itself, as a program does that shares it with a
// Transport, and is careless with its permit.
func (c *caller) visit(h *host) {
	c.begun.Add(1)
	priority := 0
	if !h.watch.plain {
		priority = c.random.IntN(3) - 1
	}
	ctx, cancel := context.WithCancel(limiter.WithPriority(context.Background(), priority))
	defer cancel()
	if c.random.IntN(20) == 0 {
		cancel()
	}
	came, ended := c.now(), ctx.Err() != nil
	p, err := h.watch.limiter.Acquire(ctx)
	if ended && err == nil {
		c.fail("%s: a call was admitted that had been cancelled", h.name)
	}
	how := howEnded(1, err)
	c.note(c.id, 1, how)
	c.ends[how]++
	if c.now() > came+c.maxWait+c.slack {
		c.fail("a guest waited for %v, MaxWait is %v", c.now()-came, c.maxWait)
	}
	if err != nil {
		return
	}
	h.admitted(turn{came, c.now(), priority})
	h.guests.Add(1)
	time.Sleep(c.alone(c.random, time.Duration(c.random.IntN(50))*time.Millisecond))
	h.guests.Add(-1)
	p.Report(limiter.Success)
	p.Report(limiter.Refused)
	p.Release()
	time.Sleep(c.alone(c.random, time.Duration(c.random.IntN(50))*time.Millisecond))
	p.Release() // by now the place is somebody else's
}

// admitted checks that nobody was let in before t who had to stand back: those of a
// lower priority, and those of the same that came later.
func (h *host) admitted(t turn) {
	h.mu.Lock()
	var overtook *turn
	kept := h.turns[:0]
	for _, other := range h.turns {
		if other.admitted < t.came-h.blur {
			continue // nobody who waits now can have waited then
		}
		kept = append(kept, other)
		if other.admitted < t.admitted && (other.priority < t.priority && other.admitted > t.came+h.blur ||
			other.priority == t.priority && other.came > t.came+h.blur) {
			overtook = &other
		}
	}
	h.turns = append(kept, t)
	h.mu.Unlock()
	if overtook != nil {
		h.fail("%s: %+v was let in before %+v", h.name, *overtook, t)
	}
}
