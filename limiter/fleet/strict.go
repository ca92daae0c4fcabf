package fleet

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/limiter"
)

// A Strict asks Redis before every call, so that its limit holds to the last call. A
// call pays for that with a round trip, and fails with [ErrUnavailable] while Redis is
// away. It may be used by many goroutines.
type Strict struct {
	config Config
	gate   gate
}

// A gate is what differs between a rate and slots.
type gate interface {
	// try says whether a call that can wait for patience has its place, and for how
	// long it has to wait then, or before it tries again.
	try(ctx context.Context, patience time.Duration) (release func(), wait time.Duration, err error)
	close()
}

// forever is how long a call without a deadline waits.
const forever = 24 * time.Hour

// Acquire waits for its turn. The caller calls release when the call is over; of a
// rate it does nothing. A call that gives up while it waits has used its place.
//
// The errors match [limiter.ErrRejected], since the call was not started: with
// [limiter.ErrMaxWait] if the turn is further away than MaxWait or the deadline of ctx,
// with the cause of ctx if that has ended, with [ErrUnavailable] if Redis could not be
// asked.
func (s *Strict) Acquire(ctx context.Context) (release func(), err error) {
	began := time.Now()
	patience := orElse(s.config.MaxWait, forever)
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	if patience < forever {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, patience, limiter.ErrMaxWait)
		defer stop()
	}
	for {
		if ctx.Err() != nil {
			return nil, rejected(context.Cause(ctx))
		}
		release, wait, err := s.try(ctx, patience-time.Since(began))
		switch {
		case errors.Is(err, errNoAnswer) && context.Cause(ctx) == limiter.ErrMaxWait:
			return nil, rejected(fmt.Errorf("%w: %w", ErrUnavailable, limiter.ErrMaxWait))
		case err != nil && ctx.Err() != nil:
			return nil, rejected(context.Cause(ctx))
		case err != nil:
			return nil, rejected(fmt.Errorf("%w: %w", ErrUnavailable, err))
		case release == nil && wait > patience-time.Since(began):
			return nil, rejected(limiter.ErrMaxWait)
		}
		if wait > 0 {
			turn := time.NewTimer(wait)
			select {
			case <-turn.C:
			case <-ctx.Done():
				turn.Stop()
				if release != nil {
					release()
				}
				return nil, rejected(context.Cause(ctx))
			}
		}
		if release != nil {
			return release, nil
		}
	}
}

// try is gate.try that ends with ctx. A Redis client may go on waiting for an answer
// (go-redis does unless it is told by ContextTimeoutEnabled); what it gets is given back.
func (s *Strict) try(ctx context.Context, patience time.Duration) (release func(), wait time.Duration, err error) {
	if ctx.Done() == nil {
		return s.gate.try(ctx, patience)
	}
	type answer struct {
		release func()
		wait    time.Duration
		err     error
	}
	answered := make(chan answer, 1)
	go func() {
		release, wait, err := s.gate.try(ctx, patience)
		answered <- answer{release, wait, err}
	}()
	select {
	case a := <-answered:
		return a.release, a.wait, a.err
	case <-ctx.Done():
		go func() {
			if a := <-answered; a.release != nil {
				a.release()
			}
		}()
		return nil, 0, errNoAnswer
	}
}

// Close gives back the slots that are still held, and ends what renews their leases.
// Calls of Acquire after it fail with [ErrUnavailable] for slots. Further calls of Close
// do nothing.
func (s *Strict) Close() error {
	s.gate.close()
	return nil
}

// errNoAnswer is that a call would wait no longer for Redis to answer.
var errNoAnswer = errors.New("fleet: no answer from Redis in time")

func rejected(cause error) error { return errors.Join(limiter.ErrRejected, cause) }

// NewStrictRate returns a gate for perSecond calls per second, of which burst may
// start at once after a pause. Calls start in the order in which Redis hears of them.
// Of the configuration it uses Redis, Key and MaxWait. The errors are [*ConfigError].
func NewStrictRate(c Config, perSecond float64, burst int) (*Strict, error) {
	if err := checkRate(perSecond, burst); err != nil {
		return nil, err
	}
	c, err := c.filled(perSecond, 0)
	if err != nil {
		return nil, err
	}
	return &Strict{config: c, gate: &strictRate{
		redis: c.Redis, keys: keysOf(c.Key, "strict-rate"), gap: 1e6 / perSecond, burst: burst,
	}}, nil
}

type strictRate struct {
	redis redis.Scripter
	keys  []string
	gap   float64 // microseconds
	burst int
}

var (
	//go:embed strict_rate.lua
	strictRateLua    string
	strictRateScript = redis.NewScript(strictRateLua)
)

func (g *strictRate) try(ctx context.Context, patience time.Duration) (release func(), wait time.Duration, err error) {
	values, err := strictRateScript.Run(ctx, g.redis, g.keys, g.gap, g.burst, patience.Microseconds()).Int64Slice()
	if err != nil {
		return nil, 0, err
	}
	if len(values) != 2 {
		return nil, 0, fmt.Errorf("fleet: Redis answered %v, which is no reply of our script", values)
	}
	if values[0] == 0 {
		return nil, forever, nil // no later try would be in time
	}
	return func() {}, time.Duration(values[1]) * time.Microsecond, nil
}

func (g *strictRate) close() {}
