package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrBadConfig is returned for a Config, or for the size of a pool, that cannot
// be meant. The wrapping error says which field is wrong and what it may be.
var ErrBadConfig = errors.New("postgres: bad configuration")

// ErrBadDSN is returned for a DSN that cannot be parsed. Neither it nor the
// error that wraps it quotes the DSN, because a malformed one leaves open which
// part of it is the password.
var ErrBadDSN = errors.New("postgres: bad DSN")

// The SQLSTATE codes that this package distinguishes.
const (
	codeTooMany       = "53300"
	codeShutdown      = "57P01"
	codeQueryCanceled = "57014"
	codeNotSupported  = "0A000"
	codeInvalidText   = "22P02"
	codeNoStatement   = "26000"
	codeBadPassword   = "28P01"
	codeNotAuthorised = "28000"
	codeNoDatabase    = "3D000"
)

// IsTooMany reports whether err is the server's refusal of one connection too
// many, SQLSTATE 53300. It does not look at the text, which differs between
// versions, languages and the two limits that cause it.
func IsTooMany(err error) bool {
	var p *pgconn.PgError
	return errors.As(err, &p) && p.Code == codeTooMany
}

// An UnreachableError says that the server of Config.DSN cannot be used. Its
// text is one line, names the server and what to do, and has no password in it.
type UnreachableError struct {
	Address string // host:port, or the path of a socket.
	Reason  string // What went wrong.
	Remedy  string // What to do about it.
	Err     error  // The cause, for errors.Is and errors.As.
}

// Error returns the address, the reason and the remedy.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("postgres: cannot use the server at %s: %s; %s", e.Address, e.Reason, e.Remedy)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// unreachable explains err, which came of connecting with c for at most limit.
func unreachable(c *pgx.ConnConfig, limit time.Duration, err error) *UnreachableError {
	u := &UnreachableError{
		Address: addressOf(c),
		Err:     err,
		Remedy:  "check that it runs and that host and port are right, or leave the DSN out to have a temporary server made",
	}
	var fromServer *pgconn.PgError
	var fromNetwork *net.OpError
	var name *net.DNSError
	switch {
	case errors.As(err, &fromServer):
		u.Reason = fmt.Sprintf("%s (SQLSTATE %s)", fromServer.Message, fromServer.Code)
		u.Remedy = remedyFor(fromServer.Code)
	case errors.Is(err, context.DeadlineExceeded):
		u.Reason = fmt.Sprintf("no answer within %v", limit)
	case errors.As(err, &name):
		u.Reason = "its name cannot be resolved"
	case errors.As(err, &fromNetwork):
		u.Reason = fromNetwork.Err.Error()
	default:
		u.Reason = err.Error()
	}
	u.Reason = oneLine(u.Reason)
	// No message known to us quotes the password. This makes sure of those
	// that are not known to us.
	if c.Password != "" {
		u.Reason = strings.ReplaceAll(u.Reason, c.Password, "***")
	}
	return u
}

func remedyFor(code string) string {
	switch code {
	case codeBadPassword, codeNotAuthorised:
		return "check user and password in the DSN, and the server's pg_hba.conf"
	case codeNoDatabase:
		return "name a database that exists in the DSN"
	case codeTooMany:
		return "it is full already: wait for others to leave it, or raise its max_connections"
	}
	return "the server answered, so look up its message"
}

// oneLine joins the lines of a text, so that it fits a label or a log.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	const most = 240
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
