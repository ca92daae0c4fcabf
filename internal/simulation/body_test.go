package simulation

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"
)

// An exchange is a request that holds a place at its host.
type exchange struct {
	ctx    context.Context
	atHead bool
	head   time.Duration // when its head came; 0: not yet
}

// begin counts a request as holding a place, if it does.
func (h *host) begin(e *errand, req *http.Request) *exchange {
	if !e.holds {
		return nil
	}
	x := &exchange{ctx: req.Context(), atHead: e.atHead}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.exchanges[x] = struct{}{}
	return x
}

// headed has x last until the end of the body of resp, if that has one.
func (h *host) headed(x *exchange, resp *http.Response) {
	if x == nil {
		return
	}
	if resp == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusNoContent || x.atHead {
		h.over(x)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	x.head = h.now()
	resp.Body.(*body).of = x
}

func (h *host) over(x *exchange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.exchanges, x)
}

// holding returns how many exchanges should hold a place.
func (h *host) holding(now time.Duration) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for x := range h.exchanges {
		if x.head == 0 || x.ctx.Err() == nil && (h.maxHold == 0 || now < x.head+h.maxHold) {
			n++
		}
	}
	return n
}

// A body comes in chunks, slowly, and may end too early. It is to be closed once.
type body struct {
	host   *host
	errand *errand
	of     *exchange // nil if it holds no place
	dice   *rand.Rand
	ctx    context.Context
	chunks int
	pause  time.Duration
	fails  bool
	closed atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if b.chunks == 0 {
		b.host.over(b.of)
		if b.fails {
			return 0, errOnWay
		}
		return 0, io.EOF
	}
	b.chunks--
	if err := b.host.wait(b.ctx, b.dice, b.pause); err != nil {
		b.host.over(b.of)
		return 0, err
	}
	return min(len(p), 100), nil
}

func (b *body) Close() error {
	if b.closed.CompareAndSwap(false, true) {
		b.errand.open.Add(-1)
		b.host.over(b.of)
	} else {
		b.host.fail("the body of a response is closed twice")
	}
	return nil
}
