package limiter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Every error of [Limiter.Acquire] is a [*RejectedError] and matches
// ErrRejected with errors.Is: the call has not been started, so trying it
// again cannot do anything twice. The other two tell reasons apart.
var (
	ErrRejected  = errors.New("limiter: rejected")
	ErrQueueFull = errors.New("limiter: queue full")
	ErrMaxWait   = errors.New("limiter: waited too long")
)

// Reason says why a call was not admitted.
type Reason uint8

const (
	// QueueFull means that the call would have had to wait and the queue was
	// full of calls at least as important.
	QueueFull Reason = iota

	// Evicted means that the call waited and a more important one took its
	// place in a full queue.
	Evicted

	// WaitedTooLong means that the call waited as long as [MaxWait] lets a
	// call wait, or that it was bound to.
	WaitedTooLong

	// Deadline means that the deadline of the call's context passed while it
	// waited, or that it was bound to: see [Limiter.Acquire].
	Deadline

	// GaveUp means that the call's context was cancelled while it waited,
	// or had ended before it asked.
	GaveUp

	// Busy means that TryAcquire found no room.
	Busy

	reasons // their number
)

var reasonNames = [reasons]string{"queue full", "evicted", "waited too long", "deadline", "gave up", "busy"}

// String returns the name of r in lower case.
func (r Reason) String() string {
	if r >= reasons {
		return "reason(" + itoa(int(r)) + ")"
	}
	return reasonNames[r]
}

// A RejectedError says why a call was not admitted and how the Limiter stood
// at that moment. It matches [ErrRejected]; [ErrQueueFull] for the reasons
// QueueFull and Evicted; [ErrMaxWait] for WaitedTooLong; context.DeadlineExceeded
// for Deadline; and, through Unwrap, the cause with which the context ended.
type RejectedError struct {
	Reason   Reason
	Limit    int           // the limit last given by the Policy
	InFlight int           // calls in flight
	Queued   int           // calls that wait, without this one
	Waited   time.Duration // how long this one waited

	// RetryAfter is how long it will take at least until those that wait now
	// have started, or a pause is over; 0 if that is not known.
	RetryAfter time.Duration

	cause error // the context's, if it ended
}

func (e *RejectedError) Error() string {
	text := "limiter: rejected: " + e.Reason.String()
	if e.Waited > 0 {
		text += " after " + e.Waited.Round(time.Microsecond).String()
	}
	text += fmt.Sprintf(" (%d in flight, limit %s, %d queued)", e.InFlight, limitText(e.Limit), e.Queued)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Is reports whether target is one of the sentinels that e matches.
func (e *RejectedError) Is(target error) bool {
	switch target {
	case ErrRejected:
		return true
	case ErrQueueFull:
		return e.Reason == QueueFull || e.Reason == Evicted
	case ErrMaxWait:
		return e.Reason == WaitedTooLong
	case context.DeadlineExceeded:
		return e.Reason == Deadline
	}
	return false
}

// Unwrap returns the cause with which the call's context ended, or nil.
func (e *RejectedError) Unwrap() error { return e.cause }

// Timeout reports whether time was what ran out, in the manner of net.Error.
func (e *RejectedError) Timeout() bool { return e.Reason == WaitedTooLong || e.Reason == Deadline }

// A ConfigError is what constructors of this package panic with when they are
// given a configuration that cannot be obeyed. Numbers that come from outside
// the program should be checked before they get here.
type ConfigError struct {
	Of    string // the function or type
	Field string
	Value any
	Want  string // what would be valid
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("limiter: %s: %s is %v, want %s", e.Of, e.Field, e.Value, e.Want)
}

func badConfig(of, field string, value any, want string) {
	panic(&ConfigError{Of: of, Field: field, Value: value, Want: want})
}

func itoa(n int) string { return strconv.Itoa(n) }
