package httpclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"
)

// These tell apart why a request failed before its answer, with errors.Is and
// also through the *url.Error that an http.Client wraps around them. A request
// that was not admitted by its host's Limiter matches limiter.ErrRejected
// instead. Every other error is the Base's, untouched.
var (
	// ErrBreakerOpen means that the host's circuit breaker let nobody
	// through: the request was not sent. The error is a [*BreakerError].
	ErrBreakerOpen = errors.New("httpclient: circuit breaker open")

	// ErrAttemptTimeout means that Config.AttemptTimeout passed before the
	// end of the answer. The error matches context.DeadlineExceeded too, and
	// its Timeout method says true.
	ErrAttemptTimeout = errors.New("httpclient: attempt timed out")

	// ErrTimeout means that Config.Timeout passed before the end of the
	// answer. The error matches context.DeadlineExceeded too, and its Timeout
	// method says true. If the time passed in the queue, the error matches
	// limiter.ErrRejected as well: that attempt was not sent.
	ErrTimeout = errors.New("httpclient: timed out")
)

// A BreakerError says that a request was not sent because of its host's
// circuit breaker. It matches [ErrBreakerOpen] and, through Unwrap, the error
// of gobreaker: gobreaker.ErrOpenState if nobody is let through, or
// gobreaker.ErrTooManyRequests if the host is being probed by others.
type BreakerError struct {
	Host    string          // "example.com:443"
	State   gobreaker.State // open or half-open
	RetryIn time.Duration   // until the host is probed again; 0 if it is being probed

	err error
}

func (e *BreakerError) Error() string {
	if e.State == gobreaker.StateHalfOpen {
		return "httpclient: circuit breaker of " + e.Host + " is half-open and others are probing"
	}
	return fmt.Sprintf("httpclient: circuit breaker of %s is open for another %v", e.Host, e.RetryIn.Round(time.Millisecond))
}

// Is reports whether target is ErrBreakerOpen.
func (e *BreakerError) Is(target error) bool { return target == ErrBreakerOpen }

// Unwrap returns the error of gobreaker.
func (e *BreakerError) Unwrap() error { return e.err }

// A timeoutError is the cause with which the context of an attempt, or of a
// request, ends, so it is also what net/http returns for it over HTTP/1.
type timeoutError struct {
	kind  error // ErrTimeout or ErrAttemptTimeout
	after time.Duration
	err   error // what the Base made of it, if that was something else
}

func (e *timeoutError) Error() string {
	text := e.kind.Error() + " after " + e.after.String()
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

func (e *timeoutError) Is(target error) bool {
	return target == e.kind || target == context.DeadlineExceeded
}

func (e *timeoutError) Unwrap() error { return e.err }

// Timeout is asked for by url.Error, by a type assertion.
func (e *timeoutError) Timeout() bool { return true }

// Temporary is part of net.Error, which callers look for with errors.As.
func (e *timeoutError) Temporary() bool { return true }

// A ConfigError is returned by [New] and [NewTransport] for a configuration
// that cannot be obeyed.
type ConfigError struct {
	Field string // such as "Breaker.FailureRatio"
	Value any
	Want  string // what would be valid
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("httpclient: Config.%s is %v, want %s", e.Field, e.Value, e.Want)
}
