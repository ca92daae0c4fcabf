package httpclient

import (
	"context"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/internal/patience"
	"github.com/tidegate-go/tidegate/limiter"
)

// enter waits for all the places that the attempt needs. The wait ends with the
// request's context, with its Cancel channel, with Config.MaxWait and when the
// host's breaker opens.
func (a *attempt) enter() error {
	h := a.host
	var start time.Time
	if a.wishes.info != nil {
		start = time.Now()
	}
	var err error
	if h.breaker == nil && h.maxWait == 0 && cancelOf(a.req) == nil {
		err = a.places.take(a.req.Context(), h)
	} else {
		w := waitings.Get().(*waiting)
		w.Context, w.host, w.cancelled = a.req.Context(), h, cancelOf(a.req)
		err = w.take(&a.places)
		if w.cancel == nil { // it has not had to wait, so nobody else knows of it
			*w = waiting{}
			waitings.Put(w)
		}
	}
	if i := a.wishes.info; i != nil {
		i.Queued += time.Since(start)
		i.Limit = h.limiter.Stats().Limit
	}
	return err
}

// take waits in the queues of the pacer, of the host and of all hosts. It holds
// no place in one while it waits in another, since that place might be used
// meanwhile, and since a limiter that measures latency would measure the wait.
// What the pacer grants is no place: it is kept.
func (p *places) take(ctx context.Context, h *host) (err error) {
	for {
		pacer := h.pacer.Load()
		if pacer != nil { // then this round is the last, so it is asked once
			if p.pace, err = pacer.limiter.Acquire(ctx); err != nil {
				return err
			}
			p.paceSeq = pacer.policy.started.Load()
		}
		if p.host, err = h.limiter.Acquire(ctx); err != nil {
			return err
		}
		if pacer != nil || h.pacer.Load() == nil {
			break
		}
		p.host.Release() // the pacer came while we waited
	}
	if h.global == nil {
		return nil
	}
	return p.takeGlobal(ctx, h)
}

// takeGlobal gets the global place once that of the host is there. It would be
// best if one queue knew of both limits; two limiters cannot be asked as one.
// So whoever finds no room in the one gives up the other, waits there, and comes
// back. Only who has lost the host's place in doing so keeps it and waits on:
// always in this order, so nobody waits in a circle.
func (p *places) takeGlobal(ctx context.Context, h *host) (err error) {
	var ok bool
	if p.global, ok = h.global.TryAcquire(); ok {
		return nil
	}
	p.host.Release()
	if p.global, err = h.global.Acquire(ctx); err != nil {
		return err
	}
	if p.host, ok = h.limiter.TryAcquire(); ok {
		return nil
	}
	p.global.Release()
	if p.host, err = h.limiter.Acquire(ctx); err != nil {
		return err
	}
	p.global, err = h.global.Acquire(ctx)
	return err
}

// A waiting is the context with which one request waits in the queues. It is
// the request's context until somebody asks for Done, which a Limiter does only
// for a request that has to wait: the others are spared the price of a context
// that can be cancelled. It is for use by one goroutine.
type waiting struct {
	context.Context
	host      *host
	cancelled <-chan struct{}         // Request.Cancel
	cancel    context.CancelCauseFunc // nil: has not had to wait
	stop      context.CancelFunc      // of the context for MaxWait
	caller    context.Context         // before the context for MaxWait; nil without
}

// waitings are those of requests that did not have to wait, which are most: an
// allocation for each would be a tenth of what a Transport costs.
var waitings = sync.Pool{New: func() any { return new(waiting) }}

// take is places.take under w.
func (w *waiting) take(p *places) error {
	defer w.end()
	err := p.take(w, w.host)
	if err == nil {
		return nil
	}
	//nolint:errorlint // what a caller's cause wraps is not ours
	if f, ok := context.Cause(w).(flushed); ok {
		return f.error
	}
	return err
}

// Value tells limiters, whose counts and events are to name the reason, whether
// MaxWait is what bounds the wait.
func (w *waiting) Value(key any) any {
	if key == (patience.Key{}) {
		return w.ours()
	}
	return w.Context.Value(key)
}

// ours reports whether MaxWait is what bounds the wait, and not the caller.
func (w *waiting) ours() bool {
	if w.caller == nil || w.caller.Err() != nil {
		return false
	}
	callers, ok := w.caller.Deadline()
	mine, _ := w.Context.Deadline()
	return !ok || mine.Before(callers)
}

// Deadline returns the sooner of MaxWait's and the caller's. Like Done it is
// asked for only when the request has to wait.
func (w *waiting) Deadline() (time.Time, bool) {
	if w.cancel == nil && w.host.maxWait > 0 {
		w.begin()
	}
	return w.Context.Deadline()
}

// Done returns a channel that is closed when the wait is to end.
func (w *waiting) Done() <-chan struct{} {
	if w.cancel == nil {
		w.begin()
	}
	return w.Context.Done()
}

func (w *waiting) begin() {
	parent := w.Context
	if d := w.host.maxWait; d > 0 {
		w.caller = parent
		parent, w.stop = context.WithTimeoutCause(parent, d, limiter.ErrMaxWait)
	}
	ctx, cancel := context.WithCancelCause(parent)
	w.Context, w.cancel = ctx, cancel
	if c := w.cancelled; c != nil {
		go func() {
			select {
			case <-c:
				cancel(context.Canceled)
			case <-ctx.Done():
			}
		}()
	}
	h := w.host
	if h.breaker == nil {
		return
	}
	h.mu.Lock()
	if h.waiting == nil {
		h.waiting = make(map[*waiting]context.CancelCauseFunc)
	}
	h.waiting[w] = cancel
	h.mu.Unlock()
	// A breaker that opened before this would not have found us.
	if err := h.check(); err != nil {
		cancel(flushed{err})
	}
}

func (w *waiting) end() {
	if w.cancel == nil {
		return
	}
	w.cancel(nil)
	if w.stop != nil {
		w.stop()
	}
	w.host.mu.Lock()
	delete(w.host.waiting, w)
	w.host.mu.Unlock()
	w.host.lookForLeaks() // who had to wait has cause to ask
}

// flushed is the cause with which a wait ends because the host's breaker has opened.
// A type of its own tells it from the causes that callers give to their contexts,
// which may be the errors of other hosts' breakers.
type flushed struct{ error }

// flush ends every wait with err.
func (h *host) flush(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, cancel := range h.waiting {
		cancel(flushed{err}) // never blocks, and runs nobody's code but that of contexts
	}
}
