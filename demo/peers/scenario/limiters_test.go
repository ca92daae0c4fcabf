package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/platinummonkey/go-concurrency-limits/core"
	"github.com/platinummonkey/go-concurrency-limits/limit"
	gocl "github.com/platinummonkey/go-concurrency-limits/limiter"
	"github.com/platinummonkey/go-concurrency-limits/strategy"
	"golang.org/x/sync/semaphore"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
	"github.com/tidegate-go/tidegate/limiter"
)

// The bounds and the first limit are those of the simulated policies, wherever a
// library lets one set them, so that none wins or loses by its defaults for them.
// All else is what each library calls its default.
const (
	least = 1
	most  = 1000
	usual = 20 // the first limit where the scenario has none
)

var (
	silent   = limit.NoopLimitLogger{}
	unnoted  = core.EmptyMetricRegistryInstance
	limiters = []scenario.LimiterMaker{
		{Name: "tidegate", About: "limiter.New(limiter.Adaptive(...))", New: func(s scenario.Setup) scenario.Limiter {
			return tidegate{limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{Initial: s.Initial, Min: least, Max: most}))}
		}},
		{Name: "failsafe", About: "failsafe-go's adaptivelimiter", New: func(s scenario.Setup) scenario.Limiter {
			return failsafe{adaptivelimiter.NewBuilder[any]().WithLimits(least, most, uint(first(s))).Build()}
		}},
		{Name: "gocl-vegas", About: "go-concurrency-limits' Vegas", New: func(s scenario.Setup) scenario.Limiter {
			return newGoCL(limit.NewDefaultVegasLimitWithLimit("", first(s), silent, unnoted))
		}},
		{Name: "gocl-gradient2", About: "go-concurrency-limits' Gradient2", New: func(s scenario.Setup) scenario.Limiter {
			// As NewDefaultGradient2Limit, but for the first limit and the bounds.
			l, err := limit.NewGradient2Limit("", first(s), most, least, func(int) int { return 4 }, 0.2, 600, silent, unnoted)
			if err != nil {
				panic(err)
			}
			return newGoCL(l)
		}},
		{Name: "gocl-aimd", About: "go-concurrency-limits' AIMD, which has no upper bound", New: func(s scenario.Setup) scenario.Limiter {
			return newGoCL(limit.NewAIMDLimit("", first(s), 0.9, 1, unnoted))
		}},
		{
			Name: "semaphore", About: "x/sync/semaphore with the oracle's limit of the first graded phase", Oracle: true,
			New: func(s scenario.Setup) scenario.Limiter {
				n := s.Oracle[0]
				return fixed{semaphore.NewWeighted(int64(n)), n}
			},
		},
	}
)

func first(s scenario.Setup) int {
	if s.Initial > 0 {
		return s.Initial
	}
	return usual
}

type tidegate struct{ *limiter.Limiter }

func (t tidegate) Acquire(ctx context.Context) (scenario.Permit, error) {
	return t.Limiter.Acquire(ctx)
}
func (t tidegate) Limit() int { return t.Stats().Limit }

// failsafe records every call that ends and drops those that their callers leave, as
// the executor of that library does. It cannot tell a refusal from an answer.
type failsafe struct {
	adaptivelimiter.AdaptiveLimiter[any]
}

func (f failsafe) Acquire(ctx context.Context) (scenario.Permit, error) {
	p, err := f.AcquirePermit(ctx)
	if err != nil {
		return nil, err
	}
	return &moment{end: func(o limiter.Outcome) {
		switch o {
		case limiter.Overdue, limiter.Cancelled, limiter.Ignored:
			p.Drop()
		default:
			p.Record()
		}
	}}, nil
}

// goCL is go-concurrency-limits' DefaultLimiter with its defaults, behind the
// library's own queue: first in, first out, of any length, and left by whoever gives
// up. (Its BlockingLimiter wakes all who wait at every release, and chance decides
// which of them runs.) What has failed was dropped, as in the gRPC interceptors of the
// library, but for failures that say nothing: its comments want them ignored.
type goCL struct {
	line  *gocl.QueueBlockingLimiter
	inner *gocl.DefaultLimiter
}

func newGoCL(l core.Limit) scenario.Limiter {
	inner, err := gocl.NewDefaultLimiter(l, 1e9, 1e9, 1e5, 100, strategy.NewSimpleStrategy(l.EstimatedLimit()), silent, unnoted)
	if err != nil {
		panic(err)
	}
	return goCL{inner: inner, line: gocl.NewQueueBlockingLimiterFromConfig(inner, gocl.QueueLimiterConfig{
		Ordering: gocl.OrderingFIFO, MaxBacklogSize: 1 << 30, MaxBacklogTimeout: -1, BacklogEvictDoneCtx: true,
	})}
}

var errTurnedAway = errors.New("turned away")

func (g goCL) Acquire(ctx context.Context) (scenario.Permit, error) {
	l, ok := g.line.Acquire(ctx)
	if !ok {
		return nil, errTurnedAway
	}
	return &moment{end: func(o limiter.Outcome) {
		switch o {
		case limiter.Success:
			l.OnSuccess()
		case limiter.Refused, limiter.Overdue, limiter.Cancelled:
			l.OnDropped()
		default:
			l.OnIgnore()
		}
	}}, nil
}

func (g goCL) Limit() int { return g.inner.EstimatedLimit() }

// fixed is x/sync's semaphore.
type fixed struct {
	*semaphore.Weighted
	n int
}

func (f fixed) Acquire(ctx context.Context) (scenario.Permit, error) {
	if err := f.Weighted.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return &moment{end: func(limiter.Outcome) { f.Release(1) }}, nil
}

func (f fixed) Limit() int { return f.n }

// A moment is a permit of a limiter to which a call ends at one moment: with its
// answer, whether or not a body follows. So do the RoundTrippers of these libraries.
type moment struct {
	end   func(limiter.Outcome)
	ended bool
}

func (m *moment) Done(o limiter.Outcome) { m.Report(o) }
func (m *moment) Release()               { m.Report(limiter.Ignored) }
func (m *moment) Pause(time.Duration)    {} // none of them knows of it

func (m *moment) Report(o limiter.Outcome) {
	if !m.ended {
		m.ended = true
		m.end(o)
	}
}
