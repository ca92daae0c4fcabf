package experiment

import (
	"context"
	"time"
)

// WatchCPU begins to watch what other programs use of this machine. The
// function it returns ends that, and says which share of all cores it was, nil
// where the system does not tell, and whether it was too much to trust times.
func WatchCPU() func() (share *float64, noisy bool) {
	before, begin := readCPU(), time.Now()
	return func() (*float64, bool) { return before.foreign(time.Since(begin)) }
}

// EndOf tells the end of a call from its error, nil being success. ctx is the
// context of the whole measurement: if it has ended, that is the reason. An
// error that wraps [ErrRefused] says that the far side has no room.
func EndOf(ctx context.Context, err error) End { return endOf(ctx, err) }

// ErrRefused is wrapped by errors of calls that were answered with "no room".
var ErrRefused = errRefused

// Add counts one call that ended so.
func (c *Counts) Add(e End) { c.add(e) }

// Merge adds what other has counted.
func (c *Counts) Merge(other Counts) {
	c.Succeeded += other.Succeeded
	c.TimedOut += other.TimedOut
	c.Rejected += other.Rejected
	c.Refused += other.Refused
	c.Failed += other.Failed
	c.Cancelled += other.Cancelled
}

// MemoryInUse is the memory, in bytes, that this program has from the operating
// system and has not given back.
func MemoryInUse() int64 {
	_, memory := readRuntime()
	return memory
}
