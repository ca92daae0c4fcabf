package postgres

import (
	"context"
	"sync"
)

// A rollCall knows which attempts have begun and which of them have been
// answered, and lets a task wait for those that had begun before it asked. It
// is what makes the number of refusals a property of the server's slots; see
// the package comment. Its zero value is ready, and it is safe for concurrent
// use.
//
// Attempts are numbered as they begin. All that waiting needs to know is the
// lowest number without an answer, so each step costs the same no matter how
// many attempts there are.
type rollCall struct {
	mu       sync.Mutex
	begun    uint64              // The number that the next attempt gets.
	low      uint64              // All attempts below it have been answered.
	answered map[uint64]struct{} // Those above low that have been.
	waiting  []waiter            // In order of until, because begun only grows.
}

// A waiter waits for low to reach until.
type waiter struct {
	until uint64
	ready chan struct{}
}

// begin numbers a new attempt. Each number must be answered exactly once.
func (r *rollCall) begin() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.begun
	r.begun++
	return n
}

// answer says that attempt n is over, in whichever way.
func (r *rollCall) answer(n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n != r.low {
		if r.answered == nil {
			r.answered = make(map[uint64]struct{})
		}
		r.answered[n] = struct{}{}
		return
	}
	r.low++
	for {
		if _, ok := r.answered[r.low]; !ok {
			break
		}
		delete(r.answered, r.low)
		r.low++
	}
	for len(r.waiting) > 0 && r.waiting[0].until <= r.low {
		close(r.waiting[0].ready)
		r.waiting = r.waiting[1:]
	}
}

// wait returns nil once every attempt that had begun when it was called has
// been answered, and ctx's error if ctx ends first.
func (r *rollCall) wait(ctx context.Context) error {
	r.mu.Lock()
	if r.low == r.begun {
		r.mu.Unlock()
		return nil
	}
	w := waiter{until: r.begun, ready: make(chan struct{})}
	r.waiting = append(r.waiting, w)
	r.mu.Unlock()

	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		// The waiter stays in line: nobody else needs to know, and its turn
		// comes with that of its neighbours.
		return ctx.Err()
	}
}
