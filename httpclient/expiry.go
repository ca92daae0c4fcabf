package httpclient

import (
	"context"
	"errors"
	"net"
	"time"
)

// An expiry is the context of a request, or of an attempt, that ends when its
// time is up.
type expiry struct {
	context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer // nil if it is the Context's
	deadline time.Time
	cause    *timeoutError
}

// newTotal is for Config.Timeout. What waits in a queue derives contexts from it,
// which have to learn that it was a deadline: only a true one tells them.
func newTotal(parent context.Context, cause *timeoutError) *expiry {
	ctx, cancel := context.WithTimeoutCause(parent, cause.after, cause)
	deadline, _ := ctx.Deadline()
	return &expiry{Context: ctx, cancel: func(error) { cancel() }, deadline: deadline, cause: cause}
}

// newExpiry is for an AttemptTimeout; it returns the context with its timer running. The timer is its own,
// since that of context.WithTimeout cannot be stopped when a stream of events
// begins.
func newExpiry(parent context.Context, cause *timeoutError) *expiry {
	e := &expiry{cause: cause, deadline: time.Now().Add(cause.after)}
	if d, ok := parent.Deadline(); ok && d.Before(e.deadline) {
		e.deadline = d
	}
	e.Context, e.cancel = context.WithCancelCause(parent)
	cancel := e.cancel // not e, which must not be kept alive until the time is up
	e.timer = time.AfterFunc(cause.after, func() { cancel(cause) })
	return e
}

// Deadline returns when the time is up.
func (e *expiry) Deadline() (time.Time, bool) { return e.deadline, true }

// Err returns context.DeadlineExceeded when the time is up.
func (e *expiry) Err() error {
	err := e.Context.Err()
	if err != nil && context.Cause(e.Context) == error(e.cause) {
		return context.DeadlineExceeded
	}
	return err
}

// disarm stops the timer and lets the context live on.
func (e *expiry) disarm() { e.timer.Stop() }

// end gives back what e has taken; nil has taken nothing.
func (e *expiry) end() {
	if e != nil {
		if e.timer != nil {
			e.timer.Stop()
		}
		e.cancel(nil)
	}
}

// explain returns err, or, if err is how the Base says that this time is up, an
// error that can be told from the caller's own deadline. HTTP/1 returns the
// cause of the context, but HTTP/2 its error, and a dialer that it has timed
// out. Without a timeout (nil) every error is the Base's.
func (e *expiry) explain(err error) error {
	if e == nil || context.Cause(e.Context) != error(e.cause) || errors.Is(err, e.cause.kind) {
		return err
	}
	var n net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &n) && n.Timeout() {
		return &timeoutError{e.cause.kind, e.cause.after, err}
	}
	return err
}
