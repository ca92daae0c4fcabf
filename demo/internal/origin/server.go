package origin

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// probePath is answered at once, past the queue; see settle.
const probePath = "/.origin-probe"

// server is the origin inside the child: HTTP in front of a pool.
type server struct {
	pool     *pool
	conns    *conns
	log      *requestLog
	network  atomic.Int64 // there and back, in nanoseconds
	http     *http.Server
	probeURL string
}

// newServer takes a valid Config with its defaults applied.
func newServer(c Config, addr net.Addr, logTo io.Writer) *server {
	s := &server{
		pool: newPool(c), conns: newConns(), log: newRequestLog(),
		probeURL: "http://" + addr.String() + probePath,
	}
	s.network.Store(int64(c.Network))
	s.http = &http.Server{
		Handler: s,
		// Clients may open connections ahead of need and use them much later,
		// so the limit only has to be shorter than a forgotten experiment.
		ReadHeaderTimeout: 30 * time.Second,
		// Longer than the 90 s of http.DefaultTransport: the side that closes
		// first must be the client, or a request could meet a closing connection.
		IdleTimeout: 2 * time.Minute,
		ConnState:   s.conns.observe,
		ConnContext: connContext,
		ErrorLog:    log.New(logTo, "origin: ", 0),
	}
	if c.Backlog > 0 {
		s.http.SetKeepAlivesEnabled(false)
	}
	if c.Streams > 0 {
		s.http.Protocols = new(http.Protocols)
		s.http.Protocols.SetHTTP1(true) // for the probe, and for tools that speak nothing else
		s.http.Protocols.SetUnencryptedHTTP2(true)
		s.http.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: c.Streams}
	}
	return s
}

// ServeHTTP answers every method and path alike.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == probePath {
		s.conns.discount()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	begin := beginOf(r.Context())
	t, why := s.pool.enter()
	if t == nil {
		s.travel(r.Context())
		refuse(w, why)
		return
	}
	// The request's context is not waited for: see "What it simulates" in the
	// package comment. net/http cancels it when the caller closes the
	// connection, so a look at the end tells whether the work was wasted.
	<-t.done
	// The request is counted before its answer is flushed, so a caller that
	// has the answer also finds it in Stats.
	s.pool.leave(t, r.Context().Err() != nil)
	if t.dropped {
		refuse(w, why)
		return
	}
	s.log.add(time.Since(begin))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "served\n") // an error means the caller has gone, which leave has counted
}

// travel waits as long as a refusal is on its way. The answers of the pool have
// that time in them already.
func (s *server) travel(ctx context.Context) {
	network := time.Duration(s.network.Load())
	if network <= 0 {
		return
	}
	t := time.NewTimer(network)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// refuse answers 503, or 429 if it is the quota that is used up. Retry-After
// holds whole seconds, so a shorter wait is rounded up: 0 would invite the
// caller to come straight back.
func refuse(w http.ResponseWriter, why refusal) {
	seconds := max(1, int((why.wait+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	if why.quota {
		http.Error(w, "origin: quota used up", http.StatusTooManyRequests)
		return
	}
	http.Error(w, "origin: queue full", http.StatusServiceUnavailable)
}

// change goes on with another Config, which is valid and has its defaults.
func (s *server) change(c Config) {
	s.network.Store(int64(c.Network))
	s.pool.change(c)
}

// stats returns the whole account.
func (s *server) stats() Stats {
	st := s.pool.stats()
	st.Connections = s.conns.count()
	st.Median = s.log.median()
	return st
}

// reset drops the line and begins a new interval. If ctx ends first it reports
// false, and the interval goes on with the dropped requests counted as refused.
func (s *server) reset(ctx context.Context) bool {
	s.pool.shed()
	if !s.settle(ctx) {
		s.pool.unshed()
		return false
	}
	s.conns.reset()
	s.pool.reset()
	s.log.reset()
	return true
}

// settle waits until no request is in the server, nor on its way into it, and
// reports false if ctx ends first.
//
// That no connection is active is not enough: connections can still lie in the
// kernel's accept queue, with their requests written and their callers gone.
// That queue is first in, first out, so a connection of our own that gets an
// answer proves that all before it have been accepted. Their goroutines may not
// have run yet at that moment. The second round gives them the time of another
// connection's whole life; this is ample, though no proof.
func (s *server) settle(ctx context.Context) bool {
	for range 2 {
		if !s.probe(ctx) {
			// Probably all descriptors are in use. The parent asks again as
			// soon as it hears of a failure, so the rest of the time is spent
			// here and not in a busy loop between the two.
			<-ctx.Done()
			return false
		}
		if !s.conns.waitQuiet(ctx) {
			return false
		}
	}
	return true
}

// probe makes one request on a connection of its own.
func (s *server) probe(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.probeURL, nil)
	if err != nil {
		return false
	}
	req.Close = true
	transport := &http.Transport{} // without a proxy: this must not leave the machine
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil
}
