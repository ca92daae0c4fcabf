package postgres

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// startupTimeout is how long a client may take to say who it is. Until then
	// it has no slot, only a goroutine.
	startupTimeout = 10 * time.Second
	// longestMessage bounds what a client can make the stand-in read into
	// memory; the statements it knows are a few dozen bytes.
	longestMessage = 64 << 10
)

// A session is one connection to the stand-in. Only its own goroutine touches
// it, apart from the canceled channel.
type session struct {
	srv      *standIn
	conn     net.Conn
	wire     *pgproto3.Backend
	pid      uint32
	key      [4]byte
	canceled chan struct{} // Holds a cancel request that has not been seen yet.

	statements map[string]statement // By the name that Parse gave them.
	portals    map[string]portal    // By the name that Bind gave them.
	skipping   bool                 // After an error, until the client's next Sync.
}

// A portal is a statement with its parameter and result format, ready to run.
type portal struct {
	statement
	binary bool
}

func newSession(srv *standIn, conn net.Conn) *session {
	wire := pgproto3.NewBackend(conn, conn)
	wire.SetMaxBodyLen(longestMessage)
	return &session{
		srv: srv, conn: conn, wire: wire,
		canceled:   make(chan struct{}, 1),
		statements: make(map[string]statement),
		portals:    make(map[string]portal),
	}
}

// serve runs the session to its end. Errors of the connection need no words:
// either the client has gone or the server is closing.
func (s *session) serve() {
	_ = s.conn.SetDeadline(time.Now().Add(startupTimeout))
	if !s.introduced() {
		return
	}
	if !s.srv.admit(s) {
		s.wire.Send(&pgproto3.ErrorResponse{
			Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: codeTooMany,
			Message: "sorry, too many clients already",
		})
		_ = s.wire.Flush()
		return
	}
	defer s.srv.release(s)
	_ = s.conn.SetDeadline(time.Time{})
	s.welcome()
	for s.wire.Flush() == nil {
		m, err := s.wire.Receive()
		if err != nil || !s.handle(m) {
			return
		}
	}
}

// introduced reads up to the client's startup message, and reports whether one
// came. Encryption is declined with a single byte; the client then goes on
// without it or leaves.
func (s *session) introduced() bool {
	for {
		m, err := s.wire.ReceiveStartupMessage()
		if err != nil {
			return false
		}
		switch m := m.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := s.conn.Write([]byte{'N'}); err != nil {
				return false
			}
		case *pgproto3.CancelRequest:
			s.srv.cancel(m.ProcessID, m.SecretKey)
			return false
		case *pgproto3.StartupMessage:
			return true
		default:
			return false
		}
	}
}

// welcome says what a server says to a client it has let in.
func (s *session) welcome() {
	s.wire.Send(&pgproto3.AuthenticationOk{})
	for _, p := range [][2]string{
		{"server_version", standInVersion},
		{"server_encoding", "UTF8"},
		{"client_encoding", "UTF8"},
		{"DateStyle", "ISO, MDY"},
		{"integer_datetimes", "on"},
		{"standard_conforming_strings", "on"},
	} {
		s.wire.Send(&pgproto3.ParameterStatus{Name: p[0], Value: p[1]})
	}
	s.wire.Send(&pgproto3.BackendKeyData{ProcessID: s.pid, SecretKey: s.key[:]})
	s.ready()
}

func (s *session) ready() { s.wire.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'}) }

// handle answers one message and reports whether the session goes on. The
// answer is sent when handle has returned.
func (s *session) handle(m pgproto3.FrontendMessage) bool {
	switch m := m.(type) {
	case *pgproto3.Terminate:
		return false
	case *pgproto3.Query:
		s.query(m.String)
		s.ready()
		return true
	case *pgproto3.Sync:
		s.skipping = false
		s.ready()
		return true
	case *pgproto3.Flush:
		return true
	}
	if s.skipping {
		return true
	}
	if fault := s.extended(m); fault != nil {
		s.wire.Send(fault)
		s.skipping = true
	}
	return true
}
