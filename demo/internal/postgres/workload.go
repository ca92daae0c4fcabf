package postgres

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// leaveTimeout bounds how long a task takes to end its connection. It only
// matters with a server that has stopped answering.
const leaveTimeout = 2 * time.Second

// holdSQL is the task's query. The hold is a query, and not a pause in the
// task, so that the server sees what it sees in earnest: busy sessions.
const holdSQL = "select pg_sleep($1)"

// A Workload is what the tasks of one run do, and the count of what came of it.
// Its methods are safe for concurrent use. A new run needs a new Workload.
type Workload struct {
	base    *pgxpool.Config
	hold    float64 // Seconds, which is what pg_sleep takes.
	roll    rollCall
	opened  atomic.Int64
	refused atomic.Int64
}

// NewWorkload returns the workload of one run, whose tasks each keep a
// connection busy for hold. A hold below zero counts as zero.
//
// For an exact number of refusals hold must be longer than it takes to start
// the tasks: about a millisecond per thousand of them, so 100 ms is ample.
func (s *Server) NewWorkload(hold time.Duration) *Workload {
	return &Workload{base: s.base, hold: max(hold, 0).Seconds()}
}

// Own is a task without a pool: it opens a connection of its own, runs a query
// that lasts the hold time, waits until every attempt of this Workload that had
// begun by then has been answered, and closes the connection. The package
// comment says why it waits.
//
// It returns the error of the step that failed, as pgx gave it: IsTooMany tells
// a refusal, errors.Is(err, context.Canceled) and DeadlineExceeded the end of
// ctx. It returns soon after ctx has ended, within 2 s at worst. An attempt to
// connect that takes longer than a minute (or the DSN's connect_timeout) fails.
func (w *Workload) Own(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n := w.roll.begin()
	// To connect takes the processor far longer than to begin. When many tasks
	// start at once, this lets them all begin before the first connects, so
	// that a short hold is not over before the last of them is on the roll.
	runtime.Gosched()
	conn, err := pgx.ConnectConfig(ctx, w.base.ConnConfig)
	w.count(err)
	w.roll.answer(n)
	if err != nil {
		return err
	}
	defer leave(ctx, conn)
	if _, err := conn.Exec(ctx, holdSQL, w.hold); err != nil {
		return err
	}
	return w.roll.wait(ctx)
}

// Opened is the number of connections opened so far, by Own and in pools.
func (w *Workload) Opened() int { return int(w.opened.Load()) }

// Refused is the number of attempts that the server has refused so far with
// SQLSTATE 53300.
func (w *Workload) Refused() int { return int(w.refused.Load()) }

// count notes how an attempt to connect ended.
func (w *Workload) count(err error) {
	switch {
	case err == nil:
		w.opened.Add(1)
	case IsTooMany(err):
		w.refused.Add(1)
	}
}

// leave closes conn even if ctx has ended, and waits for pgx to be done with
// it: after a query that ctx has cut short, pgx cancels it on the server in a
// goroutine of its own.
func leave(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	_ = conn.Close(ctx) // The task has its result; there is nothing left to fail.
	select {
	case <-conn.PgConn().CleanupDone():
	case <-ctx.Done():
	}
}
