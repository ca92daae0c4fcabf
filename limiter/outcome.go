package limiter

import (
	"context"
	"errors"
)

// Outcome says what the end of a call tells about the capacity of what was
// called. It is not a verdict on the call: an answer of "404 Not Found" is a
// Success here, since the far side had room to give it.
type Outcome uint8

const (
	// Ignored says nothing: the call was never sent, or bypassed the far
	// side. It is what a Permit that is released without a report counts as.
	Ignored Outcome = iota

	// Success means that the call was answered; its latency is evidence.
	Success

	// Failed means that it was answered badly. That says nothing of capacity:
	// an error that comes back at once must not look like fast service.
	Failed

	// Refused means that the far side said it has no room: HTTP 429 and 503,
	// RESOURCE_EXHAUSTED, "too many connections".
	Refused

	// Overdue means that our deadline passed before the answer. The call
	// counts as a long one whose length is unknown.
	Overdue

	// Cancelled means that the caller gave up. By its age the call is as good
	// as an overdue one, or says nothing.
	Cancelled

	outcomes // their number
)

var outcomeNames = [outcomes]string{"ignored", "success", "failed", "refused", "overdue", "cancelled"}

// String returns the name of o in lower case.
func (o Outcome) String() string {
	if o >= outcomes {
		return "outcome(" + itoa(int(o)) + ")"
	}
	return outcomeNames[o]
}

// OutcomeOf is how [Do], [ForEach] and [Map] read the error of a call unless
// the Limiter was made with [Classify]: nil is Success, a rejection by a
// Limiter is Ignored (it never reached the far side), context.Canceled is
// Cancelled, context.DeadlineExceeded or an error whose Timeout method says
// true is Overdue, and every other error is Failed.
//
// It cannot know what a refusal looks like in your protocol. For adaptive
// policies that knowledge is worth a function of your own; see [Classify].
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return Success
	case errors.Is(err, ErrRejected):
		return Ignored
	case errors.Is(err, context.Canceled):
		return Cancelled
	case errors.Is(err, context.DeadlineExceeded), timedOut(err):
		return Overdue
	default:
		return Failed
	}
}

// timedOut reports whether err says so itself, in the manner of net.Error.
func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
