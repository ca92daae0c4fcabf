package limiter

import (
	"math"
	"time"
)

// An instant is a time as the engine keeps it: since the clock was first read,
// which was at 1 ns. Zero means never, or not known. An instant is a third of
// the size of a time.Time, and comparing two is one machine instruction.
type instant = time.Duration

// A clock reads the time at about half the price of time.Now: the time that has
// passed since a fixed moment needs the monotonic clock alone.
type clock struct {
	birth time.Time // when it was 0

	// What the wall clock said at birth, as it would say it today: looked up
	// anew every second, so that it follows a system clock that is set.
	epoch    time.Time
	lookedUp instant
}

func (c *clock) read() instant {
	at := time.Since(c.birth)
	if at-c.lookedUp >= time.Second { // at the first reading, too: the year 1 is long ago
		at = c.lookUp()
	}
	return at
}

// lookUp asks the wall clock.
func (c *clock) lookUp() instant {
	now := time.Now()
	if c.birth.IsZero() {
		c.birth = now.Add(-1)
	}
	// Both from one reading, or what is kept as looked up at one instant would
	// be of a later one.
	at := now.Sub(c.birth)
	c.epoch, c.lookedUp = now.Round(0).Add(-at), at // Round strips the monotonic reading
	return at
}

// time is the time at an instant.
func (c *clock) time(at instant) time.Time { return c.epoch.Add(at) }

// after is at + d, or as far off as can be.
func after(at instant, d time.Duration) instant {
	if sum := at + d; d < 0 || sum >= at {
		return sum
	}
	return math.MaxInt64
}
