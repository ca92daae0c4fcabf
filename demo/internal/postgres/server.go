package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Kind says what a Server is. The zero Kind is Temporary.
type Kind uint8

const (
	// Temporary is a real PostgreSQL that Open started and Close removes.
	Temporary Kind = iota
	// External is the server that Config.DSN named; Close leaves it alone.
	External
	// StandIn is the server inside this process that runs no SQL.
	StandIn
)

// String returns "temporary", "external" or "stand-in".
func (k Kind) String() string {
	switch k {
	case Temporary:
		return "temporary"
	case External:
		return "external"
	case StandIn:
		return "stand-in"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

const (
	defaultMaxConnections = 100 // PostgreSQL's own default, and the post's number.
	reservedSlots         = 3   // PostgreSQL's default superuser_reserved_connections.

	// taskRole is the role of the tasks on our own servers, and not a superuser.
	taskRole = "tidegate"
)

// Config says which server Open shall provide. The zero Config asks for a
// temporary server with max_connections = 100, or the stand-in in its place.
type Config struct {
	// DSN names a server to use, as a URL or as keyword=value pairs. Empty
	// means none; the PG* environment variables alone do not choose a server,
	// but they do fill what the DSN leaves out, as they do in psql.
	DSN string

	// MaxConnections is max_connections of a temporary server or stand-in.
	// 0 means 100; otherwise it must be at least 4, for 3 slots are reserved.
	// With a DSN it has no effect, because the server has its own.
	MaxConnections int

	// ForceStandIn asks for the stand-in even if PostgreSQL is installed. It
	// cannot be combined with a DSN.
	ForceStandIn bool

	// Log is told in one line each what Open does that takes time or goes
	// wrong. It is called during Open only, from Open's goroutine, and never
	// sees a password. Nil discards the lines.
	Log func(string)
}

// A Server is a PostgreSQL, or what stands in for one, that is ready to be
// connected to. Its methods are safe for concurrent use. It must be closed.
type Server struct {
	kind      Kind
	label     string
	dsn       string
	max       int
	usable    int
	base      *pgxpool.Config // What every connection starts from; copied, never changed.
	stop      func() error
	closeOnce sync.Once
	closeErr  error
}

// Open provides a server, as the package comment describes.
//
// Its errors are ErrBadConfig and ErrBadDSN for what can be seen without
// connecting, an *UnreachableError for a DSN whose server cannot be used (known
// within 5 s), and ctx's error if ctx ends first. Without a DSN it otherwise
// fails only if not even the stand-in can listen on 127.0.0.1. Making a
// temporary server takes about a second.
func Open(ctx context.Context, c Config) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = func(string) {}
	}
	if c.DSN != "" {
		if c.ForceStandIn {
			return nil, fmt.Errorf("%w: it has both a DSN and ForceStandIn; set one of them", ErrBadConfig)
		}
		return openExternal(ctx, c)
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = defaultMaxConnections
	}
	if c.MaxConnections <= reservedSlots {
		return nil, fmt.Errorf("%w: MaxConnections is %d, and %d are reserved for superusers; it must be at least %d, or 0 for %d",
			ErrBadConfig, c.MaxConnections, reservedSlots, reservedSlots+1, defaultMaxConnections)
	}
	if c.ForceStandIn {
		return openStandIn(c, "asked for")
	}
	s, whyNot, err := openTemporary(ctx, c)
	if err != nil {
		return nil, err
	}
	if s != nil {
		return s, nil
	}
	c.Log(whyNot + "; using the stand-in")
	return openStandIn(c, whyNot)
}

// Kind says what the server is.
func (s *Server) Kind() Kind { return s.kind }

// Label describes the server in one line for people, for example "PostgreSQL
// 15.18, temporary, real". It never contains a password.
func (s *Server) Label() string { return s.label }

// DSN is the connection string of the role that the tasks use. For an External
// server it is Config.DSN, which may contain the password: do not print it.
func (s *Server) DSN() string { return s.dsn }

// MaxConnections is the server's max_connections.
func (s *Server) MaxConnections() int { return s.max }

// UsableSlots is how many connections the tasks can have at one time:
// MaxConnections without the slots reserved for superusers and, for an External
// server, without the sessions that others had open when Open looked, and no
// more than the role and the database allow. Others come and go, so for an
// External server it is a snapshot.
func (s *Server) UsableSlots() int { return s.usable }

// Close ends the server and removes what Open created; connections that are
// still open are cut off. An External server is left as it is. Only the first
// call acts; all calls return the same result once that has finished.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		if s.stop != nil {
			s.closeErr = s.stop()
		}
	})
	return s.closeErr
}
