package realtime

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A client is callers behind one Limiter. Each makes one call after the other.
type client struct {
	limiter *limiter.Limiter
	http    *http.Client
	url     string
	timeout time.Duration // of a call in flight

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
		err = c.call(ctx)
		took, o := time.Since(start), outcome(ctx, err)
		p.Done(o)
		c.count(o, took)
		if o != limiter.Success {
			select {
			case <-ctx.Done():
			case <-time.After(backoff):
			}
		}
	}
}

// An errStatus is an answer that is not 200.
type errStatus int

func (e errStatus) Error() string { return http.StatusText(int(e)) }

func (c *client) call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errStatus(resp.StatusCode)
	}
	return nil
}

// outcome is what a call tells its Limiter. ctx is that of the run.
func outcome(ctx context.Context, err error) limiter.Outcome {
	var status errStatus
	switch {
	case err == nil:
		return limiter.Success
	case errors.As(err, &status) && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable):
		return limiter.Refused
	case ctx.Err() != nil:
		return limiter.Ignored
	case errors.Is(err, context.DeadlineExceeded):
		return limiter.Overdue
	}
	return limiter.Failed
}

func (c *client) count(o limiter.Outcome, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.now
	switch o {
	case limiter.Success:
		t.ok++
		_ = t.latencies.RecordValue(min(took, time.Minute).Microseconds()) // it fits
	case limiter.Refused:
		t.refused++
	case limiter.Overdue:
		t.overdue++
	case limiter.Ignored:
		t.cancelled++
	default:
		t.failed++
	}
}
