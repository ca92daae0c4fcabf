package postgres

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// probed is what a server says about itself to the role that asks.
type probed struct {
	version string // Such as "15.18".
	cluster string // cluster_name, by which we know our own server.
	remote  string // The address that answered.
	tls     bool

	max           int
	superReserved int  // superuser_reserved_connections.
	reserved      int  // reserved_connections, PostgreSQL 16 and later.
	isSuper       bool // The role may have all slots.
	mayReserved   bool // The role may have the reserved_connections.
	roleLimit     int  // -1 is none.
	databaseLimit int  // -1 is none.

	others, sameRole, sameDatabase int // Sessions besides the one that asks.
}

// probeSQL counts a session as somebody's even if the role may not see whose:
// an ordinary role reads NULL for backend_type of sessions of others, and the
// server's own processes belong to no database.
const probeSQL = `
with client as (
  select usesysid, datid from pg_stat_activity
  where pid <> pg_backend_pid()
    and (backend_type = 'client backend' or backend_type is null and datid is not null))
select current_setting('cluster_name'),
  current_setting('max_connections')::int,
  current_setting('superuser_reserved_connections')::int,
  coalesce(current_setting('reserved_connections', true), '0')::int,
  r.rolsuper,
  exists (select from pg_roles x where x.rolname = 'pg_use_reserved_connections' and pg_has_role(r.oid, x.oid, 'usage')),
  r.rolconnlimit, d.datconnlimit,
  (select count(*) from client)::int,
  (select count(*) from client where usesysid = r.oid)::int,
  (select count(*) from client where datid = d.oid)::int
from pg_roles r, pg_database d
where r.rolname = session_user and d.datname = current_database()`

// probe connects once with c and asks the server for its limits. When it
// returns, the slot that it took has been freed.
func probe(ctx context.Context, c *pgx.ConnConfig) (probed, error) {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return probed{}, err
	}
	var p probed
	err = conn.QueryRow(ctx, probeSQL).Scan(&p.cluster, &p.max, &p.superReserved, &p.reserved,
		&p.isSuper, &p.mayReserved, &p.roleLimit, &p.databaseLimit, &p.others, &p.sameRole, &p.sameDatabase)
	if err != nil {
		leave(ctx, conn)
		return probed{}, fmt.Errorf("it does not answer as PostgreSQL 10 or later does: %w", err)
	}
	// A packager's addition follows the number: "15.18 (Debian 15.18-0+deb12u1)".
	p.version, _, _ = strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
	return p, farewell(conn, &p)
}

// usable is the number of connections that the role can have besides those that
// are open already.
func (p probed) usable() int {
	n := p.max - p.others
	if !p.isSuper {
		n -= p.superReserved
		if !p.mayReserved {
			n -= p.reserved
		}
		// Neither limit binds a superuser.
		if p.roleLimit >= 0 {
			n = min(n, p.roleLimit-p.sameRole)
		}
		if p.databaseLimit >= 0 {
			n = min(n, p.databaseLimit-p.sameDatabase)
		}
	}
	return max(n, 0)
}

// farewell ends the connection and waits until the server has ended it too. An
// ordinary Close returns while the session still has its slot, and the first
// run would find one slot less than there are.
func farewell(conn *pgx.Conn, p *probed) error {
	h, err := conn.PgConn().Hijack()
	if err != nil {
		return err
	}
	defer func() { _ = h.Conn.Close() }()
	p.remote, p.tls = h.Conn.RemoteAddr().String(), h.TLSConfig != nil
	// PostgreSQL leaves it to the kernel to close the socket, at the very end
	// of the process. If it takes too long, an exact count is not worth more.
	_ = h.Conn.SetDeadline(time.Now().Add(leaveTimeout))
	h.Frontend.Send(&pgproto3.Terminate{})
	if h.Frontend.Flush() == nil {
		_, _ = io.Copy(io.Discard, h.Conn)
	}
	return nil
}
