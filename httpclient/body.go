package httpclient

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
	"weak"

	"github.com/tidegate-go/tidegate/limiter"
)

// bodyless reports whether the exchange is over with the head of its response,
// or no longer is one: then the place is given back at once.
func bodyless(resp *http.Response, req *http.Request) bool {
	switch {
	case resp.Body == nil, resp.Body == http.NoBody:
		return true
	case req.Method == http.MethodHead, resp.StatusCode == http.StatusNoContent, resp.StatusCode == http.StatusNotModified:
		return true
	case resp.StatusCode == http.StatusSwitchingProtocols:
		// The connection now belongs to another protocol, and may for days.
		// Its body must stay writable, and may have a CloseWrite.
		return true
	}
	// HTTP/2 has its own body for "no body". For HTTP/1 the same length would
	// say nothing: test doubles set a body and forget the length.
	return resp.ProtoMajor >= 2 && resp.ContentLength == 0
}

// readable reports whether reading the body of a response without one may do
// anything.
func readable(resp *http.Response) bool {
	return resp.Body != nil && resp.Body != http.NoBody && resp.StatusCode != http.StatusSwitchingProtocols
}

// body is the body of a response that holds a place, with that response. Read and
// Close may be called at the same time, as for the bodies of net/http.
//
// The response is a copy of the Base's in order that the place can be given
// back even if the caller forgets the body: as long as net/http waits for the
// end of a body it refers to its own response, which therefore must not refer
// to our permit. Once the garbage collector finds the copy lost, it finds the
// permit lost, and the Limiter recovers the place.
type body struct {
	response http.Response
	from     *http.Response // the Base's, for its trailers; whoever sets ended may use both

	inner  io.ReadCloser
	place  limiter.Permit // the host's
	host   *host
	unhook func() bool // undoes the hook on the context's end; nil without one
	more   *bodyExtras // nil for most: what all bodies have is dear

	ended      atomic.Bool
	left       atomic.Bool // its places have been given back
	closeFirst bool        // at its end, before the place is given back
	atEOF      atomic.Bool // and was closed by us
}

// bodyExtras is what only some bodies have.
type bodyExtras struct {
	global limiter.Permit  // zero without Config.Global
	expiry *expiry         // nil without an AttemptTimeout
	total  *expiry         // nil without a Timeout
	holder *time.Timer     // for Config.MaxHold; nil without
	cancel <-chan struct{} // Request.Cancel
}

// hold returns a response that gives back the place of a when it is over or
// when ctx, which also governs the exchange, has ended.
func (a *attempt) hold(ctx context.Context, resp *http.Response) *http.Response {
	b := &body{response: *resp, from: resp, inner: resp.Body, place: a.places.host, host: a.host}
	b.response.Body = b
	cancel, maxHold := cancelOf(a.req), a.t.config.MaxHold
	if a.host.global != nil || a.expiry != nil || a.total || maxHold > 0 || cancel != nil {
		b.more = &bodyExtras{global: a.places.global, expiry: a.expiry, cancel: cancel}
	}
	// An HTTP/2 stream counts until net/http has put it away, which it does a
	// moment after the end has been read, or during Close. A request that took
	// the place in that moment would find the connection full and dial
	// another. Close would also end the sending of a request, so this is only
	// for those that have none to send.
	b.closeFirst = resp.ProtoMajor == 2 && (a.req.Body == nil || a.req.Body == http.NoBody)
	if a.places.none() {
		b.left.Store(true)
		return &b.response // it is held for the sake of a timeout
	}
	b.host.bodies.Add(1)
	// Weak references, since a context may live for as long as the program,
	// and a body that is forgotten must not.
	if ctx.Done() != nil {
		w := weak.Make(b)
		b.unhook = context.AfterFunc(ctx, func() {
			if b := w.Value(); b != nil {
				b.leave()
			}
		})
	}
	if maxHold > 0 {
		w := weak.Make(b)
		b.more.holder = time.AfterFunc(maxHold, func() {
			if b := w.Value(); b != nil && b.leave() {
				b.host.overheldFor(maxHold)
			}
		})
	}
	return &b.response
}

// Read reads from the body. Its end or an error ends the exchange.
func (b *body) Read(p []byte) (int, error) {
	if b.atEOF.Load() {
		return 0, io.EOF // the inner body would say that it has been closed
	}
	n, err := b.inner.Read(p)
	if err == nil {
		return n, nil
	}
	m := b.more
	if m != nil {
		err = m.total.explain(m.expiry.explain(err))
	}
	if b.ended.CompareAndSwap(false, true) {
		if err == io.EOF {
			b.response.Trailer = b.from.Trailer // net/http may only have made it now
			if b.closeFirst {
				b.atEOF.Store(true)
				b.inner.Close()
			}
		}
		b.release()
	}
	if m != nil {
		awaitClient(err, m.cancel)
	}
	return n, err
}

// Close closes the body and ends the exchange. It closes first: until then the
// far side is still at work.
func (b *body) Close() error {
	defer func() {
		if b.ended.CompareAndSwap(false, true) {
			b.release()
		}
	}()
	return b.inner.Close()
}

// Unwrap returns the body that the Base gave. Who keeps that one and drops
// this one gives up the place.
func (b *body) Unwrap() io.ReadCloser { return b.inner }

// release is called once, by whoever has set ended.
func (b *body) release() {
	if b.unhook != nil {
		b.unhook()
	}
	if m := b.more; m != nil {
		if m.holder != nil {
			m.holder.Stop()
		}
		m.expiry.end()
		m.total.end()
	}
	b.leave()
}

// leave gives the places back, unless the end of the body or of its context or
// MaxHold has done so before.
func (b *body) leave() bool {
	first := b.left.CompareAndSwap(false, true)
	if first {
		if b.more != nil {
			b.more.global.Release()
		}
		b.place.Release()
		b.host.bodies.Add(-1)
	}
	return first
}
