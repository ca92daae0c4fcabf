package postgres

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A standIn is a server that speaks PostgreSQL's wire protocol and enforces its
// connection limit, and does nothing else.
type standIn struct {
	listener net.Listener
	max      int
	done     chan struct{} // Closed by close; ends whatever sleeps.
	running  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	conns    map[net.Conn]struct{} // All connections, also those without a session yet.
	sessions map[uint32]*session   // Those that have a slot, by process id.
	lastPID  uint32
}

// openStandIn starts a stand-in. why goes into the label.
func openStandIn(c Config, why string) (*Server, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("postgres: the stand-in cannot listen on 127.0.0.1: %w", err)
	}
	srv := &standIn{
		listener: listener,
		max:      c.MaxConnections,
		done:     make(chan struct{}),
		conns:    make(map[net.Conn]struct{}),
		sessions: make(map[uint32]*session),
	}
	dsn := localDSN(listener.Addr().(*net.TCPAddr).Port)
	base, err := parseDSN(dsn)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	keepLocal(base.ConnConfig)
	srv.running.Go(srv.accept)
	return &Server{
		kind:   StandIn,
		label:  "stand-in (" + why + "): speaks the wire protocol and enforces the same limit, runs no SQL",
		dsn:    dsn,
		max:    srv.max,
		usable: srv.max - reservedSlots,
		base:   base,
		stop:   srv.close,
	}, nil
}

// localDSN is the connection string of a server of ours. It says what the PG*
// environment variables could otherwise say differently.
func localDSN(port int) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=any", taskRole, port)
}

// keepLocal takes out of c what the PG* environment variables, which are meant
// for another server, may have put there.
func keepLocal(c *pgx.ConnConfig) {
	c.Password, c.RequireAuth, c.ChannelBinding = "", "", ""
	c.Fallbacks, c.TLSConfig, c.ValidateConnect = nil, nil, nil
	c.ConnectTimeout = attemptTimeout
	c.RuntimeParams = map[string]string{"application_name": "tidegate-demo"}
}

// accept serves connections until close.
func (srv *standIn) accept() {
	for {
		conn, err := srv.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Most likely this process has run out of file descriptors. The
			// client waits in the queue; without a pause this loop would spin.
			select {
			case <-srv.done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			continue
		}
		if !srv.track(conn) {
			_ = conn.Close()
			return
		}
		srv.running.Go(func() {
			defer srv.untrack(conn)
			newSession(srv, conn).serve()
		})
	}
}

// track notes conn so that close can close it, unless close was there first.
func (srv *standIn) track(conn net.Conn) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closed {
		return false
	}
	srv.conns[conn] = struct{}{}
	return true
}

func (srv *standIn) untrack(conn net.Conn) {
	_ = conn.Close()
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.conns, conn)
}

// admit gives s a slot if there is one left for an ordinary role. A session
// that got one must be released.
func (srv *standIn) admit(s *session) bool {
	var key [4]byte
	_, _ = rand.Read(key[:]) // Never fails, as its documentation says.
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if len(srv.sessions) >= srv.max-reservedSlots {
		return false
	}
	srv.lastPID++
	s.pid, s.key = srv.lastPID, key
	srv.sessions[s.pid] = s
	return true
}

// release gives the slot of s back.
func (srv *standIn) release(s *session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.sessions, s.pid)
}

// cancel ends the query that the session with this pid is running. A wrong key
// is ignored without a word, as PostgreSQL does.
func (srv *standIn) cancel(pid uint32, key []byte) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	s := srv.sessions[pid]
	if s == nil || string(s.key[:]) != string(key) {
		return
	}
	select {
	case s.canceled <- struct{}{}:
	default: // One is pending already.
	}
}

// close cuts off all connections and waits for their goroutines to end.
func (srv *standIn) close() error {
	srv.mu.Lock()
	srv.closed = true
	close(srv.done)
	for conn := range srv.conns {
		_ = conn.Close() // Its goroutine sees the error and ends.
	}
	srv.mu.Unlock()
	err := srv.listener.Close()
	srv.running.Wait()
	return err
}
