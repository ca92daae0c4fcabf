package fleet

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// Config says where the account of a limit is kept and how a process borrows from
// it. Redis and Key must be given; the zero value of everything else is what is
// recommended.
type Config struct {
	// Redis is a client of the Redis that keeps the account: *redis.Client, a
	// cluster's, a ring's or a sentinel's. All processes must use the same Redis. Set
	// its ContextTimeoutEnabled, and time-outs below Lease: by itself go-redis waits
	// for an answer for longer than it is worth, and repeats commands, each of which
	// may count.
	Redis redis.Scripter

	// Key names the limit. Processes with the same Key share it. It becomes part of
	// one key in Redis, "Key:rate", "Key:slots", "Key:strict-rate" or
	// "Key:strict-slots", which vanishes some time after it was last used: a minute,
	// and a day for strict slots.
	Key string

	// ID tells the processes that share a Key from each other. By default it is
	// random, which is right unless a process wants to take up the share of one that
	// has ended. Two that live must not have the same.
	ID string

	// Renew is how often a Share asks Redis. It is also how long a process that is
	// suddenly busy waits for a larger share. By default 100 ms.
	Renew time.Duration

	// Lease is the time after which what was lent to a process that no longer says
	// anything goes to the others. By default ten times Renew, at least 1 s. It must
	// be at least three times Renew. For strict slots it is the time after which a call
	// counts as lost together with its process.
	Lease time.Duration

	// Hold is for how long a process that cannot reach Redis goes on with the share
	// that it had; after that it uses no more than the limit divided by the number of
	// processes there were. By default 1 minute.
	Hold time.Duration

	// Fallback is the share of a process that has never reached Redis: calls per
	// second, or slots. By default a hundredth of the limit, and at least one slot.
	Fallback float64

	// MaxWait is how long a call of a Strict may wait at most. By default 0: as long
	// as its context lets it. A Share does not wait; its Limiter does.
	MaxWait time.Duration

	// Logger hears once when Redis cannot be asked, and once when it can again; from
	// strict slots, of each time that leases could not be renewed or given back. Nil
	// is silent.
	Logger *zap.Logger
}

// A ConfigError says what is wrong with a configuration.
type ConfigError struct {
	Field string
	Value any
	Want  string // what would be valid
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("fleet: %s is %v, want %s", e.Field, e.Value, e.Want)
}

// ErrUnavailable is what a call of a [Strict] fails with when Redis could not be
// asked. The error also matches [limiter.ErrRejected], since the call was not
// started, and what the Redis client said.
var ErrUnavailable = errors.New("fleet: Redis cannot be asked")

// filled returns c with what was left out, or what is wrong with it.
func (c Config) filled(limit float64, least float64) (Config, error) {
	c.Renew = orElse(c.Renew, 100*time.Millisecond)
	c.Lease = orElse(c.Lease, max(10*c.Renew, time.Second))
	c.Hold = orElse(c.Hold, time.Minute)
	c.Fallback = orElse(c.Fallback, max(least, limit/100))
	c.ID = orElse(c.ID, rand.Text())
	c.Logger = orElse(c.Logger, zap.NewNop())
	switch {
	case c.Redis == nil:
		return c, &ConfigError{"Config.Redis", nil, "a client, such as redis.NewClient(…)"}
	case c.Key == "":
		return c, &ConfigError{"Config.Key", `""`, "a name that the processes have in common"}
	case c.Renew < time.Millisecond:
		return c, &ConfigError{"Config.Renew", c.Renew, "at least 1ms"}
	case c.Lease < 3*c.Renew:
		return c, &ConfigError{"Config.Lease", c.Lease, fmt.Sprintf("at least three times Renew, %v", 3*c.Renew)}
	case c.Hold < 0:
		return c, &ConfigError{"Config.Hold", c.Hold, "0 or more"}
	case !(c.Fallback >= least) || c.Fallback > limit:
		return c, &ConfigError{"Config.Fallback", c.Fallback, fmt.Sprintf("%v to the whole limit, %v", least, limit)}
	case c.MaxWait < 0:
		return c, &ConfigError{"Config.MaxWait", c.MaxWait, "0 or more"}
	}
	return c, nil
}

// checkRate says what is wrong with a rate.
func checkRate(perSecond float64, burst int) error {
	switch {
	case !(perSecond > 0) || math.IsInf(perSecond, 0):
		return &ConfigError{"perSecond", perSecond, "more than 0 and finite"}
	case burst < 1:
		return &ConfigError{"burst", burst, "at least 1"}
	}
	return nil
}

func orElse[T comparable](value, other T) T {
	var zero T
	if value == zero {
		return other
	}
	return value
}
