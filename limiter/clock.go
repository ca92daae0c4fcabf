package limiter

import (
	"math"
	"time"
)

// An instant is a time as the engine keeps it: since the clock was first read,
// which was at 1 ns. Zero means never, or not known. An instant is a third of
// the size of a time.Time, and comparing two is one machine instruction.
type instant time.Duration

// A clock reads the time at about half the price of time.Now: the time that has
// passed since a fixed moment needs the monotonic clock alone.
type clock struct {
	birth time.Time // a nanosecond before the first reading

	// What time the instant anchoredAt was. It is looked up anew every second,
	// so that the wall reading follows the system's clock.
	anchor     time.Time
	anchoredAt instant

	// The latest conversion: a policy is asked and told at the same instant.
	known   instant
	knownAs time.Time
}

func (c *clock) read() instant {
	if c.birth.IsZero() {
		c.birth = time.Now().Add(-1)
	}
	at := instant(time.Since(c.birth))
	if at-c.anchoredAt >= instant(time.Second) || c.anchoredAt == 0 {
		c.anchor, c.anchoredAt = time.Now(), at
	}
	return at
}

// time is the time at an instant, or the zero Time for none.
func (c *clock) time(at instant) time.Time {
	if at == 0 {
		return time.Time{}
	}
	if at != c.known {
		c.known, c.knownAs = at, c.anchor.Add(time.Duration(at-c.anchoredAt))
	}
	return c.knownAs
}

func (at instant) since(u instant) time.Duration { return time.Duration(at - u) }

// add does not overflow: what is too far off is as far off as can be.
func (at instant) add(d time.Duration) instant {
	if sum := at + instant(d); d < 0 || sum >= at {
		return sum
	}
	return math.MaxInt64
}
