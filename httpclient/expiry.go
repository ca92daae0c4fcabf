package httpclient

import (
	"context"
	"errors"
	"net"
)

// An expiry ends an attempt when Config.AttemptTimeout has passed.
type expiry struct {
	ctx    context.Context
	cancel context.CancelFunc
	cause  *attemptTimeout
}

func newExpiry(parent context.Context, cause *attemptTimeout) *expiry {
	e := &expiry{cause: cause}
	e.ctx, e.cancel = context.WithTimeoutCause(parent, cause.after, cause)
	return e
}

// explain returns err, or, if err is how the Base says that the attempt's time
// is up, an error that can be told from the caller's own deadline. HTTP/1
// returns the cause of the context, but HTTP/2 its error, and a dialer that it
// has timed out. Without an attempt timeout (nil) every error is the Base's.
func (e *expiry) explain(err error) error {
	if e == nil || context.Cause(e.ctx) != error(e.cause) || errors.Is(err, ErrAttemptTimeout) {
		return err
	}
	var n net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &n) && n.Timeout() {
		return &attemptTimeout{e.cause.after, err}
	}
	return err
}
