package limiter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// Policies and observers that panic, callers that leave or call back, policies that are
// changed meanwhile: never are more in flight than the limit allows, nobody waits beyond
// MaxWait or for ever, no place is lost and the counts add up.
func TestChaosBreaksAPromise(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	runs := uint64(100)
	if testing.Short() {
		runs = 20
	}
	for i := range runs {
		bubble(t, func(t *testing.T) { (&chaos{T: t, seed: seed + i}).run() })
		if t.Failed() {
			t.Fatalf("seed %d", seed+i)
		}
	}
}

// A chaos is one Limiter and what is done to it.
type chaos struct {
	*testing.T
	seed    uint64
	l       *limiter.Limiter
	maxWait time.Duration
	calm    bool // it is over
	seq     uint64
	seen    map[limiter.Kind]uint64

	mu     sync.Mutex
	asked  uint64
	panics uint64 // that a caller of Acquire has heard of
}

func (c *chaos) dice(of uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, of)) }

func (c *chaos) run() {
	const callers = 12
	random := c.dice(0)
	c.maxWait = time.Hour
	if random.IntN(2) == 0 {
		c.maxWait = time.Duration(1+random.IntN(200)) * time.Millisecond
	}
	opts := []limiter.Option{limiter.MaxWait(c.maxWait)}
	if random.IntN(3) > 0 {
		c.seen = map[limiter.Kind]uint64{}
		opts = append(opts, limiter.Observe(c.observer(c.dice(1))))
	}
	if random.IntN(2) == 0 {
		opts = append(opts, limiter.MaxQueue(random.IntN(callers)))
	}
	c.l = limiter.New(limiter.Fixed(1), opts...)
	var all sync.WaitGroup
	for i := range uint64(callers) {
		all.Go(func() { c.caller(c.dice(2 + i)) })
	}
	for range 40 {
		time.Sleep(ms(random, 30))
		survive(func() { c.l.SetPolicy(c.policy(random)) })
	}
	all.Wait() // or all wait for ever, which synctest reports
	c.calm = true
	synctest.Wait()
	quiet(c.T, c.l)
	s := c.l.Stats()
	if s.Admitted != s.Outcomes.Sum() || s.Leaked != 0 {
		c.Errorf("%+v", s)
	}
	if got := s.Admitted + s.Rejected.Sum(); got > c.asked || got+c.panics < c.asked {
		c.Errorf("%d asked, %d heard of a panic, %d accounted for", c.asked, c.panics, got)
	}
	c.l.SetPolicy(limiter.Fixed(1)) // whoever observes hears of what is still to be told
	if c.seen != nil && (c.seen[limiter.Admitted] != s.Admitted || c.seen[limiter.Finished] != s.Admitted || c.seen[limiter.Rejected] != s.Rejected.Sum()) {
		c.Errorf("%v does not add up to %+v", c.seen, s)
	}
}

func (c *chaos) observer(random *rand.Rand) func(limiter.Event) {
	return func(e limiter.Event) {
		c.seq++
		if e.Seq != c.seq {
			c.Errorf("event %d comes as %d", e.Seq, c.seq)
		}
		c.seen[e.Kind]++
		if e.Kind == limiter.Admitted && e.InFlight > e.Limit {
			c.Errorf("%+v", e)
		}
		switch {
		case c.calm:
		case random.IntN(20) == 0:
			panic("an observer that panics, on purpose")
		case random.IntN(20) == 0:
			c.asking()
			survive(func() {
				if p, ok := c.l.TryAcquire(); ok {
					p.Release()
				}
			})
		}
	}
}

func (c *chaos) asking() {
	c.mu.Lock()
	c.asked++
	c.panics++ // taken back when it has returned; a TryAcquire need not
	c.mu.Unlock()
}

func (c *chaos) caller(random *rand.Rand) {
	for range 60 {
		time.Sleep(ms(random, 20))
		ctx, cancel := context.WithCancel(limiter.WithPriority(c.Context(), random.IntN(3)))
		switch random.IntN(4) {
		case 0:
			ctx, cancel = context.WithTimeout(ctx, ms(random, 30))
		case 1:
			time.AfterFunc(ms(random, 30), cancel)
		}
		survive(func() { c.call(ctx, random) })
		cancel()
	}
}

func (c *chaos) call(ctx context.Context, random *rand.Rand) {
	c.asking()
	start := time.Now()
	p, err := c.l.Acquire(ctx)
	c.mu.Lock()
	c.panics--
	c.mu.Unlock()
	if waited := time.Since(start); waited > c.maxWait {
		c.Errorf("waited for %v, MaxWait is %v", waited, c.maxWait)
	}
	if err != nil {
		return
	}
	defer p.Release()
	time.Sleep(ms(random, 20))
	switch random.IntN(6) {
	case 0:
		p.Pause(ms(random, 30))
	case 1:
		p.Done(limiter.Outcome(random.IntN(6)))
	default:
		p.Report(limiter.Outcome(random.IntN(6)))
		time.Sleep(ms(random, 5))
	}
}

func ms(random *rand.Rand, n int) time.Duration {
	return time.Duration(random.IntN(n)) * time.Millisecond
}

// survive goes on after a panic of a policy.
func survive(f func()) {
	defer func() {
		if v := recover(); v != nil && v != onPurpose {
			panic(v)
		}
	}()
	f()
}

func (c *chaos) policy(random *rand.Rand) limiter.Policy {
	var p limiter.Policy
	switch random.IntN(5) {
	case 0:
		p = limiter.Fixed(1 + random.IntN(5))
	case 1:
		p = limiter.Batch(1 + random.IntN(5))
	case 2:
		p = limiter.All(limiter.Rate(500, 3), limiter.Fixed(3))
	case 3:
		p = limiter.AIMD(limiter.AIMDConfig{Initial: 3, Max: 9})
	default:
		p = limiter.Adaptive(limiter.AdaptiveConfig{Initial: 3, Max: 9})
	}
	if random.IntN(4) == 0 {
		return p
	}
	return &chaotic{p, c, c.dice(random.Uint64()), 2 + random.IntN(40)}
}

// A chaotic policy panics once in so many times that it is asked or told something.
type chaotic struct {
	limiter.Policy
	of     *chaos
	random *rand.Rand
	often  int
}

func (p *chaotic) Next(s limiter.State) (int, time.Duration) {
	p.blow()
	return p.Policy.Next(s)
}

func (p *chaotic) Start(s limiter.State) {
	p.Policy.Start(s)
	p.blow()
}

func (p *chaotic) Report(s limiter.State, r limiter.Result) {
	p.Policy.Report(s, r)
	p.blow()
}

func (p *chaotic) Reason() string { p.blow(); return fmt.Sprintf("one in %d", p.often) }

func (p *chaotic) blow() {
	if !p.of.calm && p.random.IntN(p.often) == 0 && !askedByTimer() {
		panic(onPurpose)
	}
}

// askedByTimer reports whether it is the Limiter's timer that asks: a panic would then
// end the program, see guard.go.
func askedByTimer() bool {
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers[:])])
	for f, more := frames.Next(); ; f, more = frames.Next() {
		if strings.HasSuffix(f.Function, ".woken") {
			return true
		}
		if !more {
			return false
		}
	}
}
