package fleet_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

// A counter knows how many calls there are at once, and the most there ever were.
type counter struct{ now, most atomic.Int64 }

func (c *counter) enter() {
	now := c.now.Add(1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
}

// hold has so many callers hold slots one after the other.
func (b *bed) hold(m *member, callers int, long time.Duration, all *counter) {
	for range callers {
		b.callers.Go(func() {
			for b.ctx.Err() == nil {
				p, err := m.limiter.Acquire(b.ctx)
				if err != nil {
					return
				}
				all.enter()
				m.done.Add(1)
				time.Sleep(long)
				all.now.Add(-1)
				p.Done(limiter.Success)
			}
		})
	}
}

func TestSlotsAreNeverLentTwice(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		for i := range 10 {
			m := b.slots(fleet.Config{}, 95)
			// They come and go, so that the shares move.
			b.callers.Go(func() {
				time.Sleep(time.Duration(i) * 700 * time.Millisecond)
				b.hold(m, 5+10*(i%4), 30*time.Millisecond, &all)
			})
		}
		time.Sleep(10 * time.Second)
		each, sum := b.during(20 * time.Second)
		within(t, "most slots in use", float64(all.most.Load()), 90, 95)
		within(t, "calls / what all slots can do", sum/(20/0.030*95), 0.93, 1.001)
		// Wanted: 5, 15, 25, 35, 5, 15, … in all 180; so an equal part of what the
		// small ones leave.
		within(t, "Jain among those that want more", jain([]float64{each[2], each[3], each[6], each[7]}), 0.97, 1)
	})
}

func TestSlotsOfAKilledProcessComeBackWithinALease(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		killed, other := b.slots(fleet.Config{}, 20), b.slots(fleet.Config{}, 20)
		b.hold(killed, 30, 10*time.Millisecond, &all)
		b.hold(other, 30, 10*time.Millisecond, &all)
		time.Sleep(3 * time.Second)
		within(t, "share beside another", other.share.Stats().Share, 9, 11)
		killed.cut.Store(true)
		time.Sleep(1300 * time.Millisecond)
		within(t, "share after a lease", other.share.Stats().Share, 20, 20)
	})
}

// A Redis that starts empty does not know yet what it has lent.
func TestRestartOfRedisLendsNoSlotTwice(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		for range 8 {
			b.hold(b.slots(fleet.Config{}, 40), 20, 300*time.Millisecond, &all)
		}
		time.Sleep(5 * time.Second)
		for range 5 {
			b.server.FlushAll()
			time.Sleep(3 * time.Second)
		}
		within(t, "most slots in use", float64(all.most.Load()), 40, 40)
	})
}

func TestSlotsWithoutRedis(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		for range 4 {
			b.hold(b.slots(fleet.Config{Hold: 20 * time.Second}, 40), 20, 10*time.Millisecond, &all)
		}
		time.Sleep(3 * time.Second)
		b.away.Store(true)
		_, sum := b.during(30 * time.Second)
		within(t, "calls / what all slots can do", sum/(30/0.010*40), 0.97, 1.001)
		within(t, "most slots in use", float64(all.most.Load()), 40, 40)
		within(t, "share when cut off for long", b.members[0].share.Stats().Share, 10, 10)
	})
}

func TestFewerSlotsThanProcesses(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		for range 6 {
			b.hold(b.slots(fleet.Config{}, 3), 2, 10*time.Millisecond, &all)
		}
		time.Sleep(5 * time.Second)
		each, _ := b.during(60 * time.Second)
		// Each process begins with its fallback of one.
		within(t, "Jain", jain(each), 0.9, 1)
	})
}
