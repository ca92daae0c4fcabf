package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/platinummonkey/go-concurrency-limits/core"
	"github.com/platinummonkey/go-concurrency-limits/limit"
	gcl "github.com/platinummonkey/go-concurrency-limits/limiter"
	"github.com/platinummonkey/go-concurrency-limits/strategy"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
	"github.com/tidegate-go/tidegate/limiter"
)

// The bounds are those of the simulated policies, wherever a library lets one set
// them: none wins or loses by its defaults for them. All else is each library's
// default.
const (
	least = 1
	most  = 1000
	usual = 20 // the limit to start from, if the scenario has no other
)

var makers = []scenario.LiveMaker{
	{Name: "tidegate", About: "limiter.Limiter with Adaptive", New: func(s scenario.Setup) scenario.Live {
		return tidegate{limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{Initial: s.Initial, Min: least, Max: most}))}
	}},
	{Name: "failsafe", About: "failsafe-go's adaptivelimiter", New: func(s scenario.Setup) scenario.Live {
		return failsafe{adaptivelimiter.NewBuilder[any]().WithLimits(least, most, uint(initial(s))).Build()}
	}},
	{Name: "gocl-vegas", About: "go-concurrency-limits' Vegas", New: func(s scenario.Setup) scenario.Live {
		return newGCL(limit.NewDefaultVegasLimitWithLimit("", initial(s), limit.NoopLimitLogger{}, core.EmptyMetricRegistryInstance))
	}},
	{Name: "gocl-gradient2", About: "go-concurrency-limits' Gradient2", New: func(s scenario.Setup) scenario.Live {
		l, err := limit.NewGradient2Limit("", initial(s), most, least, func(int) int { return 4 }, 0.2, 600,
			limit.NoopLimitLogger{}, core.EmptyMetricRegistryInstance)
		if err != nil {
			panic(err)
		}
		return newGCL(l)
	}},
	{Name: "gocl-aimd", About: "go-concurrency-limits' AIMD, which has no bounds", New: func(s scenario.Setup) scenario.Live {
		return newGCL(limit.NewAIMDLimit("", initial(s), 0.9, 1, core.EmptyMetricRegistryInstance))
	}},
}

func initial(s scenario.Setup) int {
	if s.Initial > 0 {
		return s.Initial
	}
	return usual
}

type tidegate struct{ *limiter.Limiter }

func (t tidegate) Acquire(ctx context.Context) (scenario.Place, error) { return t.Limiter.Acquire(ctx) }
func (t tidegate) Limit() int                                          { return t.Stats().Limit }

// failsafe is failsafe-go's limiter. As its executor does, it records whatever has
// ended and drops what its caller has left.
type failsafe struct {
	adaptivelimiter.AdaptiveLimiter[any]
}

func (f failsafe) Acquire(ctx context.Context) (scenario.Place, error) {
	p, err := f.AcquirePermit(ctx)
	if err != nil {
		return nil, err
	}
	return &oneMoment{end: func(o limiter.Outcome) {
		switch o {
		case limiter.Overdue, limiter.Cancelled, limiter.Ignored:
			p.Drop()
		default:
			p.Record()
		}
	}}, nil
}

// gclLimiter is go-concurrency-limits' DefaultLimiter with its defaults, behind the
// library's own queue: first in, first out, of any length, left by whoever gives up.
// (Its BlockingLimiter wakes all who wait at every release, and which of them runs is
// chance.) Outcomes go where the library's comments say that they belong.
type gclLimiter struct {
	waiting *gcl.QueueBlockingLimiter
	inner   *gcl.DefaultLimiter
}

func newGCL(l core.Limit) *gclLimiter {
	inner, err := gcl.NewDefaultLimiter(l, 1e9, 1e9, 1e5, 100, strategy.NewSimpleStrategy(l.EstimatedLimit()),
		limit.NoopLimitLogger{}, core.EmptyMetricRegistryInstance)
	if err != nil {
		panic(err)
	}
	return &gclLimiter{inner: inner, waiting: gcl.NewQueueBlockingLimiterFromConfig(inner, gcl.QueueLimiterConfig{
		Ordering: gcl.OrderingFIFO, MaxBacklogSize: 1 << 30, MaxBacklogTimeout: -1, BacklogEvictDoneCtx: true,
	})}
}

func (g *gclLimiter) Limit() int { return g.inner.EstimatedLimit() }

var errTurnedAway = errors.New("turned away")

func (g *gclLimiter) Acquire(ctx context.Context) (scenario.Place, error) {
	l, ok := g.waiting.Acquire(ctx)
	if !ok {
		return nil, errTurnedAway
	}
	return &oneMoment{end: func(o limiter.Outcome) {
		switch o {
		case limiter.Success:
			l.OnSuccess()
		case limiter.Refused, limiter.Overdue:
			l.OnDropped()
		default:
			l.OnIgnore()
		}
	}}, nil
}

// A oneMoment is a place at a limiter that knows of one moment only, the end of the
// call, and of no pause.
type oneMoment struct {
	end      func(limiter.Outcome)
	reported bool
	outcome  limiter.Outcome
}

func (p *oneMoment) Done(o limiter.Outcome)   { p.end(o) }
func (p *oneMoment) Report(o limiter.Outcome) { p.reported, p.outcome = true, o }
func (p *oneMoment) Pause(time.Duration)      {}

func (p *oneMoment) Release() {
	if !p.reported {
		p.outcome = limiter.Ignored
	}
	p.end(p.outcome)
}
