package origin

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// conns follows the server's connections by its ConnState hook. A connection is
// active from the moment a request has been read until the answer is flushed,
// which is more than the handler sees; only when none is active is it certain
// that nothing of a run is left. Its methods are safe for concurrent use.
type conns struct {
	mu       sync.Mutex
	active   map[net.Conn]struct{}
	quiet    chan struct{} // closed while none is active
	accepted int64
}

func newConns() *conns {
	c := &conns{active: make(map[net.Conn]struct{}), quiet: make(chan struct{})}
	close(c.quiet)
	return c
}

// observe is a http.Server.ConnState hook.
func (c *conns) observe(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.accepted++
	case http.StateActive:
		if len(c.active) == 0 {
			c.quiet = make(chan struct{})
		}
		c.active[conn] = struct{}{}
	case http.StateIdle, http.StateClosed, http.StateHijacked:
		// A connection can close without ever having been active, and an idle
		// one closes too, so absence is ordinary here.
		if _, ok := c.active[conn]; !ok {
			return
		}
		delete(c.active, conn)
		if len(c.active) == 0 {
			close(c.quiet)
		}
	}
}

// waitQuiet waits until no connection is active and reports whether that
// happened before ctx ended.
func (c *conns) waitQuiet(ctx context.Context) bool {
	c.mu.Lock()
	quiet := c.quiet
	c.mu.Unlock()
	select {
	case <-quiet:
		return true
	case <-ctx.Done():
		return false
	}
}

// discount takes back one accepted connection: a probe's, which is ours.
func (c *conns) discount() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted--
}

func (c *conns) count() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted
}

func (c *conns) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted = 0
}
