package limiter

import "context"

// Do runs f once l admits it and returns what f returns. It reports the
// outcome of the call by f's error (see [OutcomeOf] and [Classify]) and gives
// back the place also if f panics or ends its goroutine; such a call counts as
// Ignored. If l does not admit the call f is not run and the error matches
// [ErrRejected].
//
// It panics with a [*ConfigError] if f is nil.
func Do[T any](ctx context.Context, l *Limiter, f func(context.Context) (T, error)) (T, error) {
	if l == nil {
		badConfig("Do", "l", nil, "a Limiter")
	}
	if f == nil {
		badConfig("Do", "f", nil, "a function")
	}
	p, err := l.Acquire(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	defer p.Release()
	v, err := f(ctx)
	p.Done(l.outcome(err))
	return v, err
}

// outcome reads the error of a call.
func (l *Limiter) outcome(err error) Outcome {
	if l.classify != nil {
		return l.classify(err)
	}
	return OutcomeOf(err)
}
