package experiment

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/postgres"
	"github.com/tidegate-go/tidegate/limiter"
)

// Postgres is the post's third experiment, which it states and does not
// measure: every task opens a database connection of its own, and the server
// has 100.
type Postgres struct {
	server *postgres.Server
	hold   time.Duration
	others int // sessions that were there before us
}

var _ Workload = (*Postgres)(nil)

// poolSize is half of the slots of a server with 100: enough to keep it busy,
// and room for everybody else.
const poolSize = 50

// OpenPostgres opens the server of c. Each task keeps its connection busy for
// hold.
func OpenPostgres(ctx context.Context, c postgres.Config, hold time.Duration) (*Postgres, error) {
	server, err := postgres.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	p := &Postgres{server: server, hold: hold}
	if p.others, err = sessions(ctx, server); err != nil {
		_ = server.Close() // the first error is the one to report
		return nil, err
	}
	return p, nil
}

// Name returns "postgres".
func (p *Postgres) Name() string { return NamePostgres }

// About describes the tasks and the server, and says so if it is not a real one.
func (p *Postgres) About() string {
	return fmt.Sprintf("own connection each, kept for %v; %s; max_connections %d, usable %d",
		p.hold, p.server.Label(), p.server.MaxConnections(), p.server.UsableSlots())
}

// Law is the rule of the refusals.
func (p *Postgres) Law() string {
	return fmt.Sprintf("the server refuses (SQLSTATE 53300) every connection above its %d usable slots", p.server.UsableSlots())
}

// StandIn reports whether there is no real PostgreSQL.
func (p *Postgres) StandIn() bool { return p.server.Kind() == postgres.StandIn }

// DefaultN are one number below the limit and one above.
func (p *Postgres) DefaultN() []int { return []int{50, 500} }

// Floor is the least time that n tasks can take under policy q if opening a
// connection takes none.
func (p *Postgres) Floor(n int, q Policy) time.Duration {
	return floor(q, n, max(1, p.server.UsableSlots()), func(int) time.Duration { return p.hold })
}

// Predict applies the law.
func (p *Postgres) Predict(n int, q Policy) (Prediction, bool) {
	return predictRefusals(q, n, p.server.UsableSlots(), p.hold), true
}

// Close ends a server of ours.
func (p *Postgres) Close() error { return p.server.Close() }

func (p *Postgres) suggest(int) suggestion {
	return suggestion{limit: poolSize, rate: 200, burst: 1, initial: initialLimit, highest: 1000, pool: poolSize}
}

// options teach the limiter what a refusal looks like here.
func (p *Postgres) options() []limiter.Option {
	return []limiter.Option{limiter.Classify(func(err error) limiter.Outcome {
		if postgres.IsTooMany(err) {
			return limiter.Refused
		}
		return limiter.OutcomeOf(err)
	})}
}

// warmUp opens a few connections, since the first ones to a new server build
// its caches.
func (p *Postgres) warmUp(ctx context.Context) error {
	n := max(1, min(8, p.server.UsableSlots()))
	t := &trial{n: n, limiter: limiter.New(limiter.Fixed(n)), record: newRecorder(n)}
	if err := p.run(ctx, t); err != nil {
		return err
	}
	return p.settle(ctx, t)
}

func (p *Postgres) run(ctx context.Context, t *trial) error {
	work := p.server.NewWorkload(p.hold)
	task := work.Own
	if t.policy.Name == Pool {
		pool, err := work.OpenPool(ctx, t.policy.Limit)
		if err != nil {
			return err
		}
		defer pool.Close()
		task = pool.Do
	}
	t.all(ctx, func(ctx context.Context, _ int) error {
		err := task(ctx)
		if postgres.IsTooMany(err) {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
		return err
	})
	t.connections = work.Opened()
	return nil
}

// settle waits until the server has ended the sessions of the run: it does so
// some time after the clients have closed them, and until then they would take
// slots from the next run.
func (p *Postgres) settle(ctx context.Context, _ *trial) error {
	return awaitSessions(ctx, p.server, p.others)
}
