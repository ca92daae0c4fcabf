package simulation

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// An errand is what is known of a call from outside. It goes with its context.
type errand struct {
	*run
	holds     bool // it takes a place until the end of its body
	atHead    bool // or until its head
	sent      atomic.Int32
	notBefore time.Duration // when it may be sent again
	dawdled   time.Duration // by the caller itself
	open      atomic.Int32  // bodies of its requests and of its responses that are not closed
}

type errandKey struct{}

func errandOf(req *http.Request) *errand {
	return req.Context().Value(errandKey{}).(*errand)
}

func (e *errand) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, errandKey{}, e)
}

// send counts how often it is sent.
func (e *errand) send(h *host, req *http.Request) {
	n := int(e.sent.Add(1))
	if n > e.retry.Attempts || n > 1 && req.Method == http.MethodPost {
		e.fail("a %s is sent for the %dth time of %d", req.Method, n, e.retry.Attempts)
	}
	if n == 1 {
		return
	}
	if h.now() < e.notBefore {
		e.fail("%s: a call is sent again before %v, as it was asked to wait", h.name, e.notBefore)
	}
	const saved, share = 10, 0.1 // the defaults of Retry.Budget
	if again := float64(h.repeated.Add(1)); again > saved+share*float64(h.good.Load())+1e-6 {
		e.fail("%s: %v requests are repeated after %d answers", h.name, again, h.good.Load())
	}
}

// returned checks that what it has opened is closed.
func (e *errand) returned() {
	if n := e.open.Load(); n != 0 {
		e.fail("a call has ended and left %d bodies open", n)
	}
}

// carry gives req a body that can be had anew.
func (e *errand) carry(req *http.Request) {
	const text = "payload"
	req.ContentLength = int64(len(text))
	req.GetBody = func() (io.ReadCloser, error) {
		e.open.Add(1)
		return &payload{Reader: strings.NewReader(text), errand: e}, nil
	}
	req.Body, _ = req.GetBody()
}

// A payload is the body of a request, to be closed once.
type payload struct {
	io.Reader
	errand *errand
	closed atomic.Bool
}

func (p *payload) Read(b []byte) (int, error) {
	if p.closed.Load() {
		p.errand.fail("the body of a request is read after its end")
	}
	return p.Reader.Read(b)
}

func (p *payload) Close() error {
	if !p.closed.CompareAndSwap(false, true) {
		p.errand.fail("the body of a request is closed twice")
		return nil
	}
	p.errand.open.Add(-1)
	return nil
}
