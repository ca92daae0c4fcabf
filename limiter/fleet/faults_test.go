package fleet_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

// A lagging connection answers later.
type lagging struct {
	net.Conn
	lag *atomic.Int64
}

func (c *lagging) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	time.Sleep(time.Duration(c.lag.Load()))
	return n, err
}

func (b *bed) lagged(lag *atomic.Int64) *redis.Client {
	client := redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		Protocol: 2, DisableIdentity: true,
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			c, err := b.server.Dial()
			return &lagging{c, lag}, err
		},
	})
	b.clients = append(b.clients, client)
	return client
}

func (b *bed) add(s *fleet.Share, err error) *member {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	m := &member{share: s, limiter: limiter.New(s)}
	b.members = append(b.members, m)
	return m
}

// setClock has the clock of Redis go on from another time.
func (b *bed) setClock(ahead time.Duration) {
	began := time.Now()
	b.callers.Go(func() {
		for b.ctx.Err() == nil {
			b.server.SetTime(began.Add(ahead).Add(time.Since(began)))
			time.Sleep(time.Millisecond)
		}
	})
}

// What a process feeds itself while an answer is late must not come on top of what the
// answer brings.
func TestSlowRedisExceedsTheQuota(t *testing.T) {
	for _, lag := range []time.Duration{150, 300, 900, 1500} {
		t.Run(fmt.Sprint(int(lag), " ms"), func(t *testing.T) {
			inBed(t, func(t *testing.T, b *bed) {
				var l atomic.Int64
				for i := range 10 {
					b.calls(b.add(fleet.NewRate(fleet.Config{Redis: b.lagged(&l), Key: "quota", ID: fmt.Sprint(i)}, 1000, 100)), 0, 100, time.Millisecond)
				}
				time.Sleep(3 * time.Second)
				l.Store(int64(lag * time.Millisecond))
				time.Sleep(3 * time.Second)
				_, sum := b.during(20 * time.Second)
				within(t, "calls / quota", sum/20_000, 0.9, 1.05)
				l.Store(0)
				time.Sleep(3 * time.Second)
				_, sum = b.during(10 * time.Second)
				within(t, "calls / quota, when it is quick again", sum/10_000, 0.97, 1.01)
			})
		})
	}
}

// A share that shrinks is in use until its process has heard of it.
func TestShrunkShareIsLentOnBeforeItsProcessHasHeard(t *testing.T) {
	for _, lag := range []time.Duration{2, 10, 60} {
		worst := 0.0
		for i := range 24 {
			inBed(t, func(t *testing.T, b *bed) {
				var all counter
				var slow, quick atomic.Int64
				slow.Store(int64(lag * time.Millisecond))
				x := b.add(fleet.NewSlots(fleet.Config{Redis: b.lagged(&slow), Key: "quota", ID: fmt.Sprint("a", i/12)}, 40))
				y := b.add(fleet.NewSlots(fleet.Config{Redis: b.lagged(&quick), Key: "quota", ID: "b"}, 40))
				time.Sleep(2 * time.Second)
				b.hold(y, 60, 5*time.Second, &all)
				time.Sleep(time.Duration(80+i%12*10) * time.Millisecond)
				b.hold(x, 20, 2*time.Second, &all)
				time.Sleep(3 * time.Second)
				worst = max(worst, float64(all.most.Load()))
			})
		}
		within(t, fmt.Sprint(int(lag), " ms: most slots in use"), worst, 38, 40)
	}
}

// Leases end while Redis is away, and those whose they were go on.
func TestSlotsAreLentTwiceWhenRedisIsBack(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		for range 4 {
			b.hold(b.slots(fleet.Config{}, 40), 20, 300*time.Millisecond, &all)
		}
		time.Sleep(3 * time.Second)
		b.away.Store(true)
		time.Sleep(30 * time.Second)
		b.away.Store(false)
		time.Sleep(10 * time.Second)
		within(t, "most slots in use", float64(all.most.Load()), 40, 40)
	})
}

// A failover to a Redis whose clock is ahead, or behind.
func TestSlotsAreLentTwiceWhenTheClockOfRedisJumps(t *testing.T) {
	for _, ahead := range []time.Duration{5 * time.Second, -time.Hour} {
		inBed(t, func(t *testing.T, b *bed) {
			var all counter
			for range 8 {
				b.hold(b.slots(fleet.Config{}, 40), 20, 300*time.Millisecond, &all)
			}
			time.Sleep(5 * time.Second)
			b.setClock(ahead)
			time.Sleep(5 * time.Second)
			_, sum := b.during(10 * time.Second)
			within(t, fmt.Sprint(ahead, ": most slots in use"), float64(all.most.Load()), 40, 40)
			within(t, "calls / what all slots can do", sum/(10/0.3*40), 0.9, 1.03) // it begins with a wave
		})
	}
}

// Their leases then end an hour later than they should.
func TestKilledProcessKeepsItsShareWhenTheClockIsSetBack(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		killed, other := b.slots(fleet.Config{}, 20), b.slots(fleet.Config{}, 20)
		b.hold(killed, 30, 10*time.Millisecond, &all)
		b.hold(other, 30, 10*time.Millisecond, &all)
		dead, alive := b.rate(fleet.Config{}, 100, 10), b.rate(fleet.Config{}, 100, 10)
		b.calls(dead, 0, 20, time.Millisecond)
		b.calls(alive, 0, 20, time.Millisecond)
		time.Sleep(3 * time.Second)
		killed.cut.Store(true)
		dead.cut.Store(true)
		b.setClock(-time.Hour)
		time.Sleep(3 * time.Second)
		within(t, "slots of the other", other.share.Stats().Share, 20, 20)
		within(t, "rate of the other", alive.share.Stats().Share, 99, 101)
	})
}

// A deployment: each new process calls at once.
func TestProcessThatStartsExceedsTheSlots(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		b.hold(b.slots(fleet.Config{}, 300), 400, time.Second, &all)
		time.Sleep(5 * time.Second)
		for range 20 {
			b.hold(b.slots(fleet.Config{}, 300), 20, time.Second, &all)
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		within(t, "most slots in use", float64(all.most.Load()), 300, 300)
	})
}

// Cron jobs and functions: each process makes one call.
func TestShortLivedProcessesAreNotLimited(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		began, n := time.Now(), 0
		for i := range 50 {
			m := b.rate(fleet.Config{ID: fmt.Sprint("p", i)}, 1, 1)
			ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
			if p, err := m.limiter.Acquire(ctx); err == nil {
				p.Done(limiter.Success)
				n++
			}
			<-ctx.Done()
			cancel()
			m.share.Close()
		}
		within(t, "calls / quota", float64(n)/time.Since(began).Seconds(), 0.5, 1.3)
	})
}

func TestRateAndSlotsOfOneKeyDisturbEachOther(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		r, s := b.rate(fleet.Config{}, 1000, 100), b.slots(fleet.Config{}, 20)
		var all counter
		b.calls(r, 0, 100, time.Millisecond)
		b.hold(s, 20, 10*time.Millisecond, &all)
		time.Sleep(3 * time.Second)
		each, _ := b.during(10 * time.Second)
		within(t, "rate / quota", each[0]/10_000, 0.97, 1.01)
		within(t, "slots", s.share.Stats().Share, 20, 20)
	})
}

// The queue of a Limiter may wait for another of its policies.
func TestQueueBehindAnotherPolicyTakesTheQuotaOfOthers(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		held, free := b.rate(fleet.Config{}, 1000, 100), b.rate(fleet.Config{}, 1000, 100)
		held.limiter = limiter.New(limiter.All(held.share, limiter.Fixed(1)))
		b.calls(held, 0, 300, 10*time.Millisecond)
		b.calls(free, 0, 300, 10*time.Millisecond)
		time.Sleep(3 * time.Second)
		_, sum := b.during(20 * time.Second)
		within(t, "calls / quota", sum/20_000, 0.97, 1.005)
	})
}

// What a process leaves unused comes back into the bucket.
func TestTokensGivenBackAreLost(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		// Its calls come in bunches of 40 each second, so what it has asked for is
		// often too much.
		bunches := b.rate(fleet.Config{}, 200, 60)
		b.callers.Go(func() {
			for b.ctx.Err() == nil {
				for range 40 {
					b.callers.Go(func() {
						if p, err := bunches.limiter.Acquire(b.ctx); err == nil {
							bunches.done.Add(1)
							p.Done(limiter.Success)
						}
					})
				}
				time.Sleep(time.Second)
			}
		})
		b.calls(b.rate(fleet.Config{}, 200, 60), 0, 30, time.Millisecond)
		time.Sleep(3 * time.Second)
		_, sum := b.during(20 * time.Second)
		within(t, "calls / quota", sum/4000, 0.97, 1.01)
	})
}

// After Hold a process that is cut off goes down to an equal part.
func TestProcessThatIsCutOffForLongKeepsItsShare(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		for i := range 10 {
			m := b.rate(fleet.Config{Hold: 5 * time.Second}, 500, 50)
			if i == 0 {
				b.calls(m, 0, 100, time.Millisecond)
			} else {
				b.calls(m, 5, 0, time.Millisecond)
			}
		}
		time.Sleep(3 * time.Second)
		b.away.Store(true)
		each, _ := b.during(4 * time.Second)
		within(t, "calls per second of the busy one at first", each[0]/4, 400, 500)
		time.Sleep(2 * time.Second)
		each, _ = b.during(10 * time.Second)
		within(t, "calls per second of the busy one after Hold", each[0]/10, 45, 52)
	})
}

func TestFewSlotsAreExceededAfterHold(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		for range 50 {
			b.hold(b.slots(fleet.Config{Hold: 5 * time.Second}, 10), 2, 100*time.Millisecond, &all)
		}
		time.Sleep(5 * time.Second)
		b.away.Store(true)
		time.Sleep(10 * time.Second)
		within(t, "most slots in use", float64(all.most.Load()), 9, 10)
	})
}

// Renewals that come late for a lone process, for it has nobody to be unsure of.
func TestLoneProcessStaysUnsureForEver(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var lag atomic.Int64
		lag.Store(int64(600 * time.Millisecond))
		var all counter
		m := b.add(fleet.NewSlots(fleet.Config{Redis: b.lagged(&lag), Key: "quota", Lease: 1300 * time.Millisecond}, 40))
		b.hold(m, 60, 100*time.Millisecond, &all)
		time.Sleep(10 * time.Second)
		within(t, "slots", m.share.Stats().Share, 40, 40)
	})
}
