package experiment

import (
	"context"
	"errors"
	"syscall"

	"github.com/tidegate-go/tidegate/limiter"
)

// End is how a task ended. Every task has exactly one.
type End uint8

const (
	// Cancelled is the end of a task that the user's interrupt cut short or
	// kept from starting. It is the zero value because a task that nobody came
	// to ends so: the counts add up without anybody having to see to it.
	Cancelled End = iota
	// Succeeded tasks got what they asked for.
	Succeeded
	// TimedOut tasks started and had no answer in time.
	TimedOut
	// Rejected tasks were not let start by our own limiter.
	Rejected
	// Refused tasks were told by the far side that it has no room.
	Refused
	// Failed tasks went wrong in any other way.
	Failed
)

// Counts says how many tasks had which end.
type Counts struct {
	Succeeded int `json:"succeeded"`
	TimedOut  int `json:"timed_out"`
	Rejected  int `json:"rejected"`
	Refused   int `json:"refused"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
}

// Sum is the number of tasks counted.
func (c Counts) Sum() int {
	return c.Succeeded + c.TimedOut + c.Rejected + c.Refused + c.Failed + c.Cancelled
}

func (c *Counts) add(e End) {
	switch e {
	case Succeeded:
		c.Succeeded++
	case TimedOut:
		c.TimedOut++
	case Rejected:
		c.Rejected++
	case Refused:
		c.Refused++
	case Failed:
		c.Failed++
	case Cancelled:
		c.Cancelled++
	}
}

// errRefused is wrapped by the errors of workloads whose far side has said that
// it has no room.
var errRefused = errors.New("refused by the far side")

// endOf tells the end of a task from its error. ctx is the context of the run
// and not that of the call: if it has ended, the interrupt is the reason,
// whatever the error looks like by the time it gets here.
func endOf(ctx context.Context, err error) End {
	var t interface{ Timeout() bool }
	switch {
	case err == nil:
		return Succeeded
	case ctx.Err() != nil:
		return Cancelled
	case errors.Is(err, limiter.ErrRejected):
		// Before the question about time-outs: a rejection for having waited
		// too long says yes to that too, and yet no call was made.
		return Rejected
	case errors.Is(err, errRefused), errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &t) && t.Timeout():
		return TimedOut
	default:
		return Failed
	}
}
