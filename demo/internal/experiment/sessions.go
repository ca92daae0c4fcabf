package experiment

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tidegate-go/tidegate/demo/internal/postgres"
)

// sessionsSQL counts the sessions of clients other than the one that asks. An
// ordinary role sees no backend_type of others' sessions; those that belong to
// a database are clients.
const sessionsSQL = `select count(*)::int from pg_stat_activity
where pid <> pg_backend_pid()
  and (backend_type = 'client backend' or backend_type is null and datid is not null)`

// sessions counts the sessions that a server has. The stand-in, which runs no
// SQL, has none: its sessions are goroutines of this program, and the runner
// waits for those.
func sessions(ctx context.Context, s *postgres.Server) (n int, err error) {
	if s.Kind() == postgres.StandIn {
		return 0, nil
	}
	err = withSession(ctx, s, func(c *pgx.Conn) (err error) {
		n, err = countSessions(ctx, c)
		return err
	})
	return n, err
}

// awaitSessions waits until the server has at most n sessions. It does not wait
// for ever: on a server that others use, their number may have grown for good.
func awaitSessions(ctx context.Context, s *postgres.Server, n int) error {
	if s.Kind() == postgres.StandIn {
		return nil
	}
	return withSession(ctx, s, func(c *pgx.Conn) error {
		deadline := time.Now().Add(leaveTimeout)
		for {
			now, err := countSessions(ctx, c)
			if err != nil || now <= n || time.Now().After(deadline) {
				return err
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}

// countSessions uses the simple protocol: one round trip and no statement left
// behind.
func countSessions(ctx context.Context, c *pgx.Conn) (n int, err error) {
	err = c.QueryRow(ctx, sessionsSQL, pgx.QueryExecModeSimpleProtocol).Scan(&n)
	return n, err
}

// withSession runs f with a session, and returns when the server has ended it.
// pgx closes its end and does not wait for the server's, which would leave the
// slot taken for the first moments of the next run.
func withSession(ctx context.Context, s *postgres.Server, f func(*pgx.Conn) error) error {
	conn, err := connectWhenFree(ctx, s)
	if err != nil {
		return err
	}
	err = f(conn)
	h, hijackErr := conn.PgConn().Hijack()
	if hijackErr != nil { // it was busy or closed: f was cut short
		_ = conn.Close(context.WithoutCancel(ctx))
		return err
	}
	defer func() { _ = h.Conn.Close() }()
	_ = h.Conn.SetDeadline(time.Now().Add(leaveTimeout))
	h.Frontend.Send(&pgproto3.Terminate{})
	if h.Frontend.Flush() == nil {
		_, _ = io.Copy(io.Discard, h.Conn)
	}
	return err
}

// connectWhenFree connects, and tries again while all slots are taken: right
// after a run they all are.
func connectWhenFree(ctx context.Context, s *postgres.Server) (*pgx.Conn, error) {
	deadline := time.Now().Add(leaveTimeout)
	for {
		conn, err := pgx.Connect(ctx, s.DSN())
		if err == nil {
			return conn, nil
		}
		if !postgres.IsTooMany(err) || time.Now().After(deadline) {
			return nil, fmt.Errorf("waiting for the sessions of the run to end: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
