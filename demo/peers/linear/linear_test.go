package linear

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tidegate-go/tidegate/limiter"
)

var (
	histories = flag.Int("histories", 300, "how many histories of each kind to check")
	seed      = flag.Uint64("seed", 0, "`number` that the histories follow from; 0 draws one")
)

type operation uint8

const (
	tryAcquire operation = iota
	acquire              // with a context that may end
	release
	setPolicy // a Fixed
)

// An input is an operation and, of setPolicy, the limit.
type input struct {
	op    operation
	limit int
}

func (in input) String() string {
	return [...]string{"TryAcquire", "Acquire", "Release", fmt.Sprint("SetPolicy ", in.limit)}[in.op]
}

// A state is what a Limiter is, seen from outside.
type state struct{ limit, inFlight int }

// sequential is what a Limiter does for one goroutine. The output is whether the
// operation got a place. A TryAcquire may also be turned away by those who wait, so
// busy says that it can be.
func sequential(limit int, waiters bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state{limit: limit} },
		Step: func(s, in, out any) (bool, any) {
			now, got := s.(state), out.(bool)
			switch op := in.(input); op.op {
			case tryAcquire, acquire:
				if got {
					ok := now.inFlight < now.limit
					now.inFlight++
					return ok, now
				}
				// One that gives up may do so at any time.
				return op.op == acquire || waiters || now.inFlight >= now.limit, now
			case release:
				now.inFlight--
				return now.inFlight >= 0, now
			default:
				now.limit = op.limit
				return true, now
			}
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprint(in, " → ", out) },
		DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
	}
}

// A client does operations one after the other, and notes them.
type client struct {
	id     int
	l      *limiter.Limiter
	random *rand.Rand
	held   []limiter.Permit
	began  time.Time
	notes  []porcupine.Operation
}

func (c *client) do(op operation) {
	in := input{op: op}
	got := true
	var f func()
	switch op {
	case tryAcquire:
		f = func() {
			var p limiter.Permit
			if p, got = c.l.TryAcquire(); got {
				c.held = append(c.held, p)
			}
		}
	case acquire:
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.random.IntN(200))*time.Microsecond)
		defer cancel()
		f = func() {
			p, err := c.l.Acquire(ctx)
			if got = err == nil; got {
				c.held = append(c.held, p)
			}
		}
	case release:
		if len(c.held) == 0 {
			return
		}
		p := c.held[len(c.held)-1]
		c.held = c.held[:len(c.held)-1]
		f = p.Release
	case setPolicy:
		in.limit = 1 + c.random.IntN(3)
		f = func() { c.l.SetPolicy(limiter.Fixed(in.limit)) }
	}
	call := time.Since(c.began)
	f()
	c.notes = append(c.notes, porcupine.Operation{
		ClientId: c.id, Input: in, Call: int64(call), Output: got, Return: int64(time.Since(c.began)),
	})
}

// history has clients work on one Limiter at the same time.
func history(seed uint64, limit int, choose func(*rand.Rand) operation) []porcupine.Operation {
	const clients, operations = 4, 16
	l := limiter.New(limiter.Fixed(limit))
	began := time.Now()
	var all [clients]*client
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range all {
		c := &client{id: i, l: l, random: rand.New(rand.NewPCG(seed, uint64(i))), began: began}
		all[i] = c
		wg.Go(func() {
			<-start
			for range operations {
				c.do(choose(c.random))
				if c.random.IntN(4) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	close(start)
	wg.Wait()
	var notes []porcupine.Operation
	for _, c := range all {
		notes = append(notes, c.notes...)
	}
	return notes
}

func check(t *testing.T, waiters bool, choose func(*rand.Rand) operation) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d (what the goroutines do; how they run is the scheduler's)", *seed)
	unknown := 0
	for i := range *histories {
		limit := 1 + i%3
		notes := history(*seed+uint64(i), limit, choose)
		result, info := porcupine.CheckOperationsVerbose(sequential(limit, waiters), notes, 2*time.Second)
		switch result {
		case porcupine.Illegal:
			path := fmt.Sprintf("%s/%d.html", t.ArtifactDir(), i)
			err := porcupine.VisualizePath(sequential(limit, waiters), info, path)
			t.Fatalf("history %d cannot be one of a limiter: %s (%v)", i, path, err)
		case porcupine.Unknown:
			unknown++ // too many orders to try
		}
	}
	if 20*unknown > *histories {
		t.Errorf("%d of %d histories could not be decided", unknown, *histories)
	}
}

// Without anybody who waits each answer is exact: a place that is there is given.
func TestTryAcquireReleaseSetPolicyAreOneAfterTheOther(t *testing.T) {
	check(t, false, func(r *rand.Rand) operation {
		return [...]operation{tryAcquire, tryAcquire, tryAcquire, release, release, setPolicy}[r.IntN(6)]
	})
}

func TestWaitersGetNoPlaceThatIsNotThere(t *testing.T) {
	check(t, true, func(r *rand.Rand) operation {
		return [...]operation{acquire, acquire, acquire, tryAcquire, release, release, release, setPolicy}[r.IntN(8)]
	})
}

// A history that is none must be told.
func TestCheckerMissesAPlaceThatIsGivenTwice(t *testing.T) {
	twice := []porcupine.Operation{
		{ClientId: 0, Input: input{op: tryAcquire}, Call: 0, Output: true, Return: 10},
		{ClientId: 1, Input: input{op: tryAcquire}, Call: 5, Output: true, Return: 15},
		{ClientId: 0, Input: input{op: release}, Call: 20, Output: true, Return: 30},
	}
	if porcupine.CheckOperations(sequential(1, true), twice) {
		t.Error("two calls had the only place at once")
	}
	lost := []porcupine.Operation{
		{ClientId: 0, Input: input{op: tryAcquire}, Call: 0, Output: true, Return: 10},
		{ClientId: 0, Input: input{op: release}, Call: 20, Output: true, Return: 30},
		{ClientId: 1, Input: input{op: tryAcquire}, Call: 40, Output: false, Return: 50},
	}
	if porcupine.CheckOperations(sequential(1, false), lost) {
		t.Error("a place that was given back was not there")
	}
}
