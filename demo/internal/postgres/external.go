package postgres

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// reachTimeout bounds how long Open tries to reach the user's server. It is
// time enough for a server that is far away, and short enough for one to sit
// and watch.
const reachTimeout = 5 * time.Second

// attemptTimeout bounds one attempt of a task to connect. A server that takes
// connections and says nothing would otherwise hold the tasks for ever. A full
// queue of 10,000 attempts takes PostgreSQL about half of it.
const attemptTimeout = time.Minute

// openExternal checks that the server of c.DSN can be used, and asks it for its
// limits.
func openExternal(ctx context.Context, c Config) (*Server, error) {
	base, err := parseDSN(c.DSN)
	if err != nil {
		return nil, err
	}
	limit := min(base.ConnConfig.ConnectTimeout, reachTimeout)
	reach, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	p, err := probe(reach, base.ConnConfig)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, unreachable(base.ConnConfig, limit, err)
	}
	address := addressOf(base.ConnConfig) // Before pinning, as the user wrote it.
	pin(base.ConnConfig, p)
	return &Server{
		kind:   External,
		label:  fmt.Sprintf("PostgreSQL %s at %s (yours)", p.version, address),
		dsn:    c.DSN,
		max:    p.max,
		usable: p.usable(),
		base:   base,
	}, nil
}

// parseDSN turns a DSN into what connections start from.
func parseDSN(dsn string) (*pgxpool.Config, error) {
	const forms = `valid are "postgres://user:password@host:5432/database" and "host=... port=5432 user=... password=... dbname=..."`
	if hasStrayAt(dsn) {
		return nil, fmt.Errorf(`%w: an "@" is out of place; write special characters percent-encoded, such as %%40 for "@" and %%2F for "/"`, ErrBadDSN)
	}
	base, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The cause is left out on purpose: it carries the DSN.
		return nil, fmt.Errorf("%w: it cannot be parsed; %s; check port, sslmode and the PG* environment variables, and percent-encode special characters in a URL", ErrBadDSN, forms)
	}
	c := base.ConnConfig
	// One round trip and no prepared statement: the query is there to hold the
	// connection, and a proxy that shares sessions must not trip over it.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = attemptTimeout
	}
	return base, nil
}

// hasStrayAt reports whether dsn is a URL with a bare "@" besides the one that
// ends user and password. Either of these ends at the first "@" or "/", so one
// in the password would make its other half a host, a port or a database, and
// those are printed.
func hasStrayAt(dsn string) bool {
	scheme, rest, isURL := strings.Cut(dsn, "://")
	if !isURL || scheme != "postgres" && scheme != "postgresql" {
		return false
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	return strings.Contains(rest, "@")
}

// pin makes every later connection go to the one server that p came from, in
// the one way that worked. By default pgx answers a refusal by trying again
// without TLS, then at the next address of the host. That would double the
// load, and the second try could get the slot that a task has just given back.
func pin(c *pgx.ConnConfig, p probed) {
	if isSocket(c.Host) {
		c.Fallbacks = nil
		return
	}
	host, port, err := net.SplitHostPort(p.remote)
	if err != nil {
		return // Not TCP, for example a fallback's socket: leave the user's order as it is.
	}
	for _, f := range c.Fallbacks {
		if (c.TLSConfig != nil) == p.tls && strconv.Itoa(int(c.Port)) == port {
			break
		}
		c.Host, c.Port, c.TLSConfig = f.Host, f.Port, f.TLSConfig
	}
	c.Fallbacks = nil
	only := []string{net.JoinHostPort(host, port)}
	c.LookupFunc = func(context.Context, string) ([]string, error) { return only, nil }
}

// addressOf names the server that c leads to.
func addressOf(c *pgx.ConnConfig) string {
	if isSocket(c.Host) {
		return fmt.Sprintf("%s (socket, port %d)", c.Host, c.Port)
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
}

func isSocket(host string) bool { return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") }
