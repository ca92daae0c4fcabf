package realtime

import (
	"context"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/limiter"
)

// A client is callers behind one Limiter. Each makes one call after the other.
type client struct {
	limiter *limiter.Limiter
	target  *load.HTTP

	mu  sync.Mutex
	now *tally // of the phase that it is
}

// backoff is how long a caller stays away after a failure.
const backoff = 100 * time.Millisecond

// enter begins a phase and returns what was counted in the one before.
func (c *client) enter() *tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.now
	c.now = newTally()
	return before
}

// caller makes calls until ctx ends.
func (c *client) caller(ctx context.Context) {
	for ctx.Err() == nil {
		p, err := c.limiter.Acquire(ctx)
		if err != nil {
			return // ctx has ended: there is no other reason
		}
		start := time.Now()
		err = c.target.Call(ctx)
		took, end := time.Since(start), experiment.EndOf(ctx, err)
		p.Done(outcome(end))
		c.count(end, took)
		if end != experiment.Succeeded {
			select {
			case <-ctx.Done():
			case <-time.After(backoff):
			}
		}
	}
}

// outcome is what a call that ended so tells its Limiter.
func outcome(end experiment.End) limiter.Outcome {
	switch end {
	case experiment.Succeeded:
		return limiter.Success
	case experiment.Refused:
		return limiter.Refused
	case experiment.TimedOut:
		return limiter.Overdue
	case experiment.Cancelled:
		return limiter.Ignored // by the end of the run
	}
	return limiter.Failed
}

func (c *client) count(end experiment.End, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.counts.Add(end)
	if end == experiment.Succeeded {
		c.now.latencies.Add(took)
	}
}
