package limiter

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"sync"
)

// ForEach calls f with every value of seq, each in a goroutine of its own as
// soon as l admits it, and returns when all of them have ended. How many run
// at once is l's decision; a Limiter that is shared with others bounds them
// all together. Besides the calls in flight only one value is held, so seq may
// be endless or larger than memory. seq runs in the caller's goroutine, and a
// value is taken from it before a permit is, so that the end of seq costs no
// permit.
//
// A value that has to wait is rejected if l lets nobody wait ([MaxQueue] of 0), so
// give ForEach a Limiter with a queue.
//
// The first error ends the work: the context that f is given is cancelled, no
// further value is taken from seq, and ForEach returns that error, though not
// before seq yields or ends. The same
// goes for a rejection by l and for the end of ctx. To go on after errors, and
// have them all, add [KeepGoing].
//
// If f panics, ForEach cancels and waits for the others like after an error
// and then panics in the caller's goroutine with a [*PanicError]. Outcomes are
// reported as by [Do].
func ForEach[T any](ctx context.Context, l *Limiter, seq iter.Seq[T], f func(context.Context, T) error, opts ...EachOption) error {
	if l == nil {
		badConfig("ForEach", "l", nil, "a Limiter")
	}
	if f == nil {
		badConfig("ForEach", "f", nil, "a function")
	}
	if seq == nil {
		badConfig("ForEach", "seq", nil, "a sequence (slices.Values makes one of a slice)")
	}
	var set eachOptions
	for _, o := range opts {
		if o == nil {
			badConfig("ForEach", "option", nil, "an EachOption")
		}
		o(&set)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g := group{ctx: ctx, cancel: cancel, keepGoing: set.keepGoing}
	// Also when seq panics: the calls in flight end before this returns.
	defer g.wait()

	for v := range seq {
		p, err := l.acquireNext(ctx)
		if err != nil {
			g.fail(err)
			if ctx.Err() != nil || !set.keepGoing {
				break
			}
			continue // this value was rejected; the next may not be
		}
		if ctx.Err() != nil { // admitted by the end of the very call that failed
			p.Release()
			g.fail(context.Cause(ctx))
			break
		}
		g.running.Add(1)
		go func() {
			defer g.running.Done()
			g.run(p, func() error { return f(g.ctx, v) })
		}()
	}
	return g.end()
}

// An EachOption sets how [ForEach] works.
type EachOption func(*eachOptions)

type eachOptions struct{ keepGoing bool }

// KeepGoing has [ForEach] go on after errors and rejections and return all of
// them, joined by errors.Join, in the order in which they happened. Only the
// end of the context, or a panic, stops it early.
func KeepGoing() EachOption { return func(o *eachOptions) { o.keepGoing = true } }

// A PanicError carries a panic from the goroutine in which it happened to the
// caller.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // of the goroutine that panicked
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("limiter: a call panicked: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns the value of the panic if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errGoexit is the error of a call that ended its goroutine.
var errGoexit = errors.New("limiter: a call ended its goroutine (runtime.Goexit, or FailNow of a test)")

// A group is the calls of one ForEach.
type group struct {
	ctx       context.Context // that the calls are given
	cancel    context.CancelCauseFunc
	keepGoing bool
	running   sync.WaitGroup

	mu       sync.Mutex
	errs     []error
	panicked *PanicError
}

// run runs one call and gives back its permit however it ends.
func (g *group) run(p Permit, f func() error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			g.panic(&PanicError{Value: v, Stack: debug.Stack()})
		} else {
			g.fail(errGoexit)
		}
		if again := giveBack(p); again != nil { // last, so that nobody starts in its place
			g.panic(again)
		}
	}()
	err := f()
	outcome := p.call.limiter.outcome(err)
	if err != nil {
		g.fail(err) // before the place is free, so that nobody starts in it
	}
	p.Done(outcome)
	returned = true // last, since the classifier and the policy may panic, too
}

// giveBack releases the permit of a call that has not returned, and returns the panic
// of a policy that does not bear to hear of it: in the goroutine of the call there is
// nobody to recover from a second panic, so it would end the program.
func giveBack(p Permit) (panicked *PanicError) {
	defer func() {
		if v := recover(); v != nil {
			panicked = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	p.Release()
	return nil
}

func (g *group) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.keepGoing {
		g.errs = append(g.errs, err)
		return
	}
	if len(g.errs) == 0 {
		g.errs = append(g.errs, err)
		g.cancel(err)
	}
}

func (g *group) panic(p *PanicError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.panicked == nil {
		g.panicked = p
		g.cancel(p)
	}
}

// wait ends the calls in flight if ForEach is left early by a panic of seq.
func (g *group) wait() {
	g.cancel(context.Canceled)
	g.running.Wait()
}

// end waits for the calls in flight and says how it all went.
func (g *group) end() error {
	g.running.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.panicked != nil {
		panic(g.panicked)
	}
	if len(g.errs) == 1 {
		return g.errs[0]
	}
	return errors.Join(g.errs...)
}

// Gather calls f with every value of seq in batches of the given size, waits
// for the whole of each batch before it starts the next, and returns the
// results in the order of seq: what asyncio programs write as a loop around
// gather. The first error ends it, as in [ForEach], and is returned with the
// results so far, those of calls that did not succeed being zero. A batch whose
// calls have all ended before it is full ends there.
//
// With uneven calls [Map] over a [Fixed] limit of the same size does the same
// work sooner, since it fills each place as it becomes free. Gather panics with
// a [*ConfigError] unless size is at least 1 and seq and f are not nil.
func Gather[T, R any](ctx context.Context, size int, seq iter.Seq[T], f func(context.Context, T) (R, error)) ([]R, error) {
	if size < 1 {
		badConfig("Gather", "size", size, "at least 1")
	}
	if seq == nil {
		badConfig("Gather", "seq", nil, "a sequence (slices.Values makes one of a slice)")
	}
	if f == nil {
		badConfig("Gather", "f", nil, "a function")
	}
	var mu sync.Mutex // results moves when it grows
	var results []R
	type item struct {
		i int
		v T
	}
	items := func(yield func(item) bool) {
		for v := range seq {
			mu.Lock()
			var zero R
			results = append(results, zero)
			i := len(results) - 1
			mu.Unlock()
			if !yield(item{i, v}) {
				return
			}
		}
	}
	err := ForEach(ctx, New(Batch(size)), items, func(ctx context.Context, it item) error {
		r, err := f(ctx, it.v)
		if err == nil {
			mu.Lock()
			results[it.i] = r
			mu.Unlock()
		}
		return err
	})
	return results, err
}

// acquireNext is Acquire for a loop that starts many calls. If no place is free
// it first lets the calls it has started run: short ones are over by then, and
// to park for each would cost more than they do.
func (l *Limiter) acquireNext(ctx context.Context) (Permit, error) {
	if ctx.Err() == nil {
		l.mu.Lock()
		p, ok := l.try()
		l.mu.Unlock()
		l.tell()
		if ok {
			return p, nil
		}
		runtime.Gosched()
	}
	return l.Acquire(ctx)
}
