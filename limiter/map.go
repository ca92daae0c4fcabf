package limiter

import (
	"context"
	"iter"
	"runtime/debug"
	"sync"
)

// Map calls f with every value of seq, each in a goroutine of its own as soon
// as l admits it, and yields the results in the order of seq. At most window
// calls are between being started and having their result yielded, so seq may
// be endless; a window of a few times the number of calls that run at once
// keeps a slow call from holding up the rest. Whenever a value has been taken
// from seq, the results that are ready by then are yielded before its call
// starts; seq itself is never run at the same time as the loop's body, so a slow
// seq holds up finished results.
//
// The error of a call is yielded with its result and ends nothing. When l
// rejects a value its error is yielded in that value's place; when ctx ends,
// one last error is. Leaving the loop early cancels the context that f is given
// and waits for the calls in flight, so nothing is left behind. If f panics, the
// iteration panics with a [*PanicError] when it comes to that value's turn.
// Outcomes are reported as by [Do].
//
// Map panics with a [*ConfigError] unless window is at least 1 and seq and f
// are not nil.
func Map[T, R any](ctx context.Context, l *Limiter, window int, seq iter.Seq[T], f func(context.Context, T) (R, error)) iter.Seq2[R, error] {
	if l == nil {
		badConfig("Map", "l", nil, "a Limiter")
	}
	if window < 1 {
		badConfig("Map", "window", window, "at least 1")
	}
	if seq == nil {
		badConfig("Map", "seq", nil, "a sequence (slices.Values makes one of a slice)")
	}
	if f == nil {
		badConfig("Map", "f", nil, "a function")
	}
	return func(yield func(R, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel() // first, so that the wait is short

		pending := make([]*result[R], 0, min(window, 64)) // in the order of seq
		first := func() bool {
			r := pending[0]
			pending[0] = nil // append moves on to a new array now and then; until then r would be kept
			pending = pending[1:]
			<-r.done
			if r.panicked != nil {
				panic(r.panicked)
			}
			return yield(r.value, r.err)
		}
		for v := range seq {
			for len(pending) > 0 && (len(pending) == window || pending[0].over()) {
				if !first() {
					return
				}
			}
			r := &result[R]{done: make(chan struct{})}
			p, err := l.acquireNext(ctx)
			pending = append(pending, r)
			if err != nil {
				r.err = err
				close(r.done)
				if ctx.Err() != nil {
					break
				}
				continue
			}
			running.Add(1)
			go func() {
				defer running.Done()
				r.run(p, func() (R, error) { return f(ctx, v) })
			}()
		}
		for len(pending) > 0 {
			if !first() {
				return
			}
		}
	}
}

// A result is where a call of Map leaves what it has found.
type result[R any] struct {
	value    R
	err      error
	panicked *PanicError
	done     chan struct{}
}

// over reports whether the call has ended.
func (r *result[R]) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// run runs the call and gives back its permit however it ends.
func (r *result[R]) run(p Permit, f func() (R, error)) {
	returned := false
	defer close(r.done)
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			r.panicked = &PanicError{Value: v, Stack: debug.Stack()}
		} else {
			r.err = errGoexit
		}
		if again := giveBack(p); r.panicked == nil {
			r.panicked = again
		}
	}()
	r.value, r.err = f()
	p.Done(p.call.limiter.outcome(r.err))
	returned = true // last, since the classifier and the policy may panic, too
}
