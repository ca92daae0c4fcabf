package fleet

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// NewStrictSlots returns a gate for n calls at once. A call that finds all slots taken
// asks again after 2 ms, and then after ever longer times up to a tenth of a second;
// there is no queue among processes, so who comes next is a matter of chance.
//
// A gate that nobody has used for a day, or whose data Redis has lost, lets nobody in
// for half a Lease, since there may be processes whose calls it does not know.
//
// A slot belongs to its call until release. As long as the process lives and reaches
// Redis, it renews the leases of its calls three times in a Lease; the slots of a
// process that is killed, or cut off for longer than Lease, go to others. Of the
// configuration it uses Redis, Key, Lease, MaxWait and Logger. Close ends it. The errors
// are [*ConfigError].
func NewStrictSlots(c Config, n int) (*Strict, error) {
	if n < 1 {
		return nil, &ConfigError{"n", n, "at least 1"}
	}
	c, err := c.filled(float64(n), 1)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	g := &strictSlots{config: c, keys: keysOf(c.Key, "strict-slots"), slots: n, calls: map[string]struct{}{}, stop: stop, ended: make(chan struct{})}
	g.returned.L = &g.mu
	go g.run(ctx)
	return &Strict{config: c, gate: g}, nil
}

type strictSlots struct {
	config Config
	keys   []string
	slots  int
	stop   context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	calls  map[string]struct{} // that hold a slot
	closed bool

	returning int       // slots that are being given back
	returned  sync.Cond // of mu: one has been
}

var (
	//go:embed strict_slots.lua
	strictSlotsLua    string
	strictSlotsScript = redis.NewScript(strictSlotsLua)
	releaseScript     = redis.NewScript(`return redis.call('ZREM', KEYS[1], unpack(ARGV))`)
)

var errClosed = errors.New("fleet: closed")

const (
	firstRetry = 2 * time.Millisecond
	lastRetry  = 100 * time.Millisecond
)

// try asks until the call has a slot, since only Redis knows when one is free.
func (g *strictSlots) try(ctx context.Context, patience time.Duration) (release func(), wait time.Duration, err error) {
	call := rand.Text()
	over := time.Now().Add(patience)
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		taken, err := strictSlotsScript.Run(ctx, g.config.Redis, g.keys, g.slots, g.config.Lease.Microseconds(), "take", call).Int()
		if err != nil {
			g.giveBack(call) // it may have been taken all the same
			return nil, 0, err
		}
		if taken == 1 {
			break
		}
		if time.Now().Add(pause).After(over) {
			return nil, forever, nil
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil, 0, ctx.Err()
		}
	}
	g.mu.Lock()
	closed := g.closed
	if !closed {
		g.calls[call] = struct{}{}
	}
	g.mu.Unlock()
	if closed {
		g.giveBack(call)
		return nil, 0, errClosed
	}
	return sync.OnceFunc(func() {
		g.mu.Lock()
		delete(g.calls, call)
		g.mu.Unlock()
		g.giveBack(call)
	}), 0, nil
}

// giveBack gives back slots, without waiting for Redis. If that fails they are free when
// their leases are over.
func (g *strictSlots) giveBack(calls ...any) {
	g.mu.Lock()
	g.returning++
	g.mu.Unlock()
	go func() {
		g.remove(calls)
		g.mu.Lock()
		g.returning--
		g.mu.Unlock()
		g.returned.Broadcast()
	}()
}

// remove tries for as long as the leases last.
func (g *strictSlots) remove(calls []any) {
	ctx, cancel := context.WithTimeout(context.Background(), g.config.Lease)
	defer cancel()
	for {
		err := releaseScript.Run(ctx, g.config.Redis, g.keys, calls...).Err()
		if err == nil {
			return
		}
		again := time.NewTimer(lastRetry)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			g.config.Logger.Warn("slots could not be given back: they are free when their leases are over",
				zap.String("key", g.config.Key), zap.Int("slots", len(calls)), zap.Error(err))
			return
		}
	}
}

// run keeps the leases of the calls alive.
func (g *strictSlots) run(ctx context.Context) {
	defer close(g.ended)
	tick := time.NewTicker(g.config.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			within, cancel := context.WithTimeout(ctx, g.config.Lease/3)
			g.keep(within)
			cancel()
		case <-ctx.Done():
			return
		}
	}
}

func (g *strictSlots) keep(ctx context.Context) {
	calls := g.held()
	if len(calls) == 0 {
		return
	}
	args := append([]any{g.slots, g.config.Lease.Microseconds(), "keep"}, calls...)
	kept, err := strictSlotsScript.Run(ctx, g.config.Redis, g.keys, args...).Int()
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // Close
	case err != nil:
		g.config.Logger.Warn("leases could not be renewed", zap.String("key", g.config.Key), zap.Int("slots", len(calls)), zap.Error(err))
	case kept < len(calls):
		// Some may have been released meanwhile, which is no loss.
		if lost := min(len(calls)-kept, len(g.held())); lost > 0 {
			g.config.Logger.Warn("leases of running calls had ended", zap.String("key", g.config.Key), zap.Int("slots", lost))
		}
	}
}

func (g *strictSlots) held() (calls []any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, call := range slices.Collect(maps.Keys(g.calls)) {
		calls = append(calls, call)
	}
	return calls
}

func (g *strictSlots) close() {
	g.stop()
	<-g.ended
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	calls := g.held()
	g.mu.Lock()
	clear(g.calls)
	g.mu.Unlock()
	const together = 1000 // of what a script of Redis takes
	for some := range slices.Chunk(calls, together) {
		g.giveBack(some...)
	}
	g.mu.Lock()
	for g.returning > 0 {
		g.returned.Wait()
	}
	g.mu.Unlock()
}
