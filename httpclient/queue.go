package httpclient

import (
	"context"
	"errors"
	"net/http"

	"github.com/tidegate-go/tidegate/limiter"
)

// acquire waits for a place. The wait ends with the request's context, with its
// Cancel channel, and when the host's breaker opens.
func (h *host) acquire(req *http.Request) (limiter.Permit, error) {
	ctx := req.Context()
	if h.breaker == nil && cancelOf(req) == nil {
		return h.limiter.Acquire(ctx)
	}
	w := &waiting{Context: ctx, host: h, cancelled: cancelOf(req)}
	defer w.end()
	p, err := h.limiter.Acquire(w)
	if err != nil {
		var opened *BreakerError
		if errors.As(context.Cause(w), &opened) {
			return limiter.Permit{}, opened
		}
	}
	return p, err
}

// A waiting is the context with which one request waits in the queue of its
// host. It is the request's context until somebody asks for Done, which the
// Limiter does only for a request that has to wait: the others are spared the
// price of a context that can be cancelled. It is for use by one goroutine.
type waiting struct {
	context.Context
	host      *host
	cancelled <-chan struct{}         // Request.Cancel
	cancel    context.CancelCauseFunc // nil: has not had to wait
}

// Done returns a channel that is closed when the wait is to end.
func (w *waiting) Done() <-chan struct{} {
	if w.cancel == nil {
		w.begin()
	}
	return w.Context.Done()
}

func (w *waiting) begin() {
	ctx, cancel := context.WithCancelCause(w.Context)
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
		cancel(err)
	}
}

func (w *waiting) end() {
	if w.cancel == nil {
		return
	}
	w.cancel(nil)
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	delete(w.host.waiting, w)
}

// flush ends every wait with err.
func (h *host) flush(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, cancel := range h.waiting {
		cancel(err) // never blocks, and runs nobody's code but that of contexts
	}
}
