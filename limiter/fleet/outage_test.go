package fleet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

// Its share was what it wanted, and it wanted nothing.
func TestProcessThatWasIdleMakesNoCallUntilRedisIsBack(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		busy, idle := b.rate(fleet.Config{}, 1000, 100), b.rate(fleet.Config{}, 1000, 100)
		b.calls(busy, 0, 100, time.Millisecond)
		time.Sleep(5 * time.Second)
		b.away.Store(true)
		time.Sleep(time.Second)
		b.calls(idle, 0, 100, time.Millisecond)
		for _, long := range []float64{30, 120} { // before and after Hold
			each, sum := b.during(time.Duration(long) * time.Second)
			within(t, "calls per second of the one that was idle", each[1]/long, 48, 55)
			within(t, "all calls / quota", sum/(1000*long), 0.5, 1.005)
		}
	})
}

// Those that Redis hears have all the rest by then.
func TestCutOffProcessTakesMoreSlotsAfterHoldThanItHad(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		for i := range 10 {
			m := b.slots(fleet.Config{Hold: 10 * time.Second}, 100)
			if i >= 4 {
				b.hold(m, 40, 20*time.Millisecond, &all)
			}
		}
		time.Sleep(5 * time.Second)
		for _, m := range b.members[:4] { // idle, so each has one in hand
			m.cut.Store(true)
		}
		time.Sleep(5 * time.Second)
		for _, m := range b.members[:4] {
			b.hold(m, 40, 20*time.Millisecond, &all)
		}
		time.Sleep(15 * time.Second)
		within(t, "most slots in use", float64(all.most.Load()), 100, 104)
	})
}

// Its slots are with the others after one lease.
func TestCloseWithoutRedisKeepsTheSlots(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		m := b.slots(fleet.Config{}, 10)
		time.Sleep(2 * time.Second)
		b.away.Store(true)
		if m.share.Close() == nil {
			t.Error("Close says that it has given back")
		}
		if _, ok := m.limiter.TryAcquire(); ok {
			t.Error("a call was admitted after Close")
		}
		within(t, "share", m.share.Stats().Share, 0, 0)
	})
}

// Their reports go to the policy of that moment.
func TestCallsThatEndUnderAnotherPolicyHoldTheirSlotsForEver(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		swapped, other := b.slots(fleet.Config{}, 20), b.slots(fleet.Config{}, 20)
		time.Sleep(time.Second)
		l := swapped.limiter
		var calls []limiter.Permit
		for range 8 {
			calls = append(calls, must(l.Acquire(b.ctx)))
		}
		l.SetPolicy(limiter.Fixed(10))
		for _, p := range calls {
			p.Done(limiter.Success)
		}
		l.SetPolicy(swapped.share)
		must(l.Acquire(b.ctx)).Done(limiter.Success)
		var all counter
		b.hold(other, 30, 10*time.Millisecond, &all)
		time.Sleep(5 * time.Second)
		within(t, "slots of the other", other.share.Stats().Share, 19, 19)
	})
}

// A replica that takes over lags behind: it has not heard of what was last lent.
func TestFailoverToAReplicaThatLags(t *testing.T) {
	const lag = 500 * time.Millisecond
	failover := func(t *testing.T, b *bed, key string) {
		t.Helper()
		fields, err := b.server.HKeys(key)
		if err != nil {
			t.Fatal(err)
		}
		var then []string
		for _, f := range fields {
			then = append(then, f, b.server.HGet(key, f))
		}
		time.Sleep(lag)
		b.server.Del(key)
		b.server.HSet(key, then...)
	}
	t.Run("rate", func(t *testing.T) {
		inBed(t, func(t *testing.T, b *bed) {
			for range 10 {
				b.calls(b.rate(fleet.Config{}, 500, 50), 0, 100, time.Millisecond)
			}
			time.Sleep(3 * time.Second)
			const times = 10
			before := b.done()
			began := time.Now()
			for range times {
				failover(t, b, "quota:rate")
				time.Sleep(3 * time.Second)
			}
			more := float64(b.done()-before) - 500*time.Since(began).Seconds()
			within(t, "calls too many for each failover", more/times, -5, 55) // the bucket
		})
	})
	t.Run("slots", func(t *testing.T) {
		inBed(t, func(t *testing.T, b *bed) {
			var all counter
			x, y := b.slots(fleet.Config{}, 40), b.slots(fleet.Config{}, 40)
			b.callers.Go(func() { // now one is busy and now the other, so that the shares move
				for b.ctx.Err() == nil {
					b.once(x, 300, 200*time.Millisecond, &all)
					x, y = y, x
				}
			})
			time.Sleep(3 * time.Second)
			within(t, "most slots in use before", float64(all.most.Load()), 38, 40)
			for range 30 {
				failover(t, b, "quota:slots")
				time.Sleep(830 * time.Millisecond)
			}
			within(t, "most slots in use", float64(all.most.Load()), 38, 80)
		})
	})
}

// once has the process make so many calls at once, and waits for their end.
func (b *bed) once(m *member, calls int, long time.Duration, all *counter) {
	var these sync.WaitGroup
	for range calls {
		these.Go(func() {
			if p, err := m.limiter.Acquire(b.ctx); err == nil {
				all.enter()
				time.Sleep(long)
				all.now.Add(-1)
				p.Done(limiter.Success)
			}
		})
	}
	these.Wait()
}

// done is how many calls there have been.
func (b *bed) done() (n int64) {
	for _, m := range b.members {
		n += m.done.Load()
	}
	return n
}

// A deaf connection loses the answer to what Redis has done.
type deaf struct {
	net.Conn
	lose *atomic.Bool
}

func (c *deaf) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.lose.Swap(false) {
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// Redis has given the slot, and the call does not know.
func TestStrictSlotIsLostWithTheAnswer(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var lose atomic.Bool
		client := redis.NewClient(&redis.Options{
			Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			Protocol: 2, DisableIdentity: true,
			Dialer: func(context.Context, string, string) (net.Conn, error) {
				c, err := b.server.Dial()
				return &deaf{c, &lose}, err
			},
		})
		b.clients = append(b.clients, client)
		s := must(fleet.NewStrictSlots(fleet.Config{Redis: client, Key: "quota", Lease: time.Minute}, 1))
		must(s.Acquire(t.Context()))()
		time.Sleep(time.Millisecond)
		lose.Store(true)
		if _, err := s.Acquire(t.Context()); !errors.Is(err, fleet.ErrUnavailable) {
			t.Fatal("the answer was lost, and yet:", err)
		}
		began := time.Now()
		must(s.Acquire(t.Context()))()
		within(t, "seconds until it is free", time.Since(began).Seconds(), 0, 1)
		s.Close()
	})
}
