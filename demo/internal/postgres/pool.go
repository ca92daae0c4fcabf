package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A Pool runs the tasks of a Workload on connections that they share. Its
// methods are safe for concurrent use. It must be closed.
type Pool struct {
	workload *Workload
	pool     *pgxpool.Pool
}

// OpenPool returns a pool of at most maxConns connections, none of which is
// opened before a task needs it; so it succeeds even if the server is gone. Its
// error is ErrBadConfig for a maxConns that is not positive. ctx only lends its
// values to the connections; its end does not close the pool.
func (w *Workload) OpenPool(ctx context.Context, maxConns int) (*Pool, error) {
	if maxConns < 1 || maxConns > math.MaxInt32 {
		return nil, fmt.Errorf("%w: a pool of %d connections; it must have at least 1 and at most %d", ErrBadConfig, maxConns, math.MaxInt32)
	}
	c := w.base.Copy()
	c.MaxConns, c.MinConns, c.MinIdleConns = int32(maxConns), 0, 0
	c.AfterConnect = func(context.Context, *pgx.Conn) error {
		w.count(nil)
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Pool{workload: w, pool: pool}, nil
}

// Do is a task with a pool: it waits for a connection to be free, runs a query
// on it that lasts the hold time, and gives it back. It does not wait for other
// tasks as Own does, because in a pool a task that is done takes nothing from
// those that are not. Its errors are those of Own.
func (p *Pool) Do(ctx context.Context) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		p.workload.count(err)
		return err
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, holdSQL, p.workload.hold)
	return err
}

// Close closes the pool and its connections. It waits for the tasks that have
// one, so end their contexts first to hurry it. Calling it again does nothing.
func (p *Pool) Close() { p.pool.Close() }
