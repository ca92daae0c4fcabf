package fleet_test

import (
	"flag"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter/fleet"
)

// processes is how many a large fleet has. A thousand take half a minute.
var processes = flag.Int("processes", 200, "processes of the large fleet")

// Twenty processes, five of which want more than an equal part, and fifteen less.
func TestUnevenDemandLeavesNoQuotaUnused(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		for i := range 20 {
			m := b.rate(fleet.Config{}, 1000, 100)
			if i < 5 {
				b.calls(m, 0, 40, time.Millisecond)
			} else {
				b.calls(m, float64(10+2*i), 0, time.Millisecond)
			}
		}
		time.Sleep(2 * time.Second)
		before := b.commands.Load()
		each, sum := b.during(20 * time.Second)
		within(t, "calls / quota", sum/20_000, 0.97, 1.005)
		within(t, "Jain among the busy", jain(each[:5]), 0.98, 1)
		for i, n := range each[5:] {
			within(t, "calls / wanted of one that wants less", n/(20*float64(20+2*i)), 0.85, 1.15)
		}
		within(t, "Redis commands per process and 100 ms", float64(b.commands.Load()-before)/20/200, 0.5, 1.01) // one more at an end of the time
	})
}

func TestEqualsGetEqualParts(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		for range 20 {
			b.calls(b.rate(fleet.Config{}, 1000, 100), 0, 30, time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		each, sum := b.during(20 * time.Second)
		within(t, "calls / quota", sum/20_000, 0.97, 1.005)
		within(t, "Jain", jain(each), 0.98, 1)
	})
}

func TestRedisAwayHoldsUpNobody(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		for range 10 {
			b.calls(b.rate(fleet.Config{}, 500, 50), 0, 30, time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		b.away.Store(true)
		for range 30 {
			_, sum := b.during(time.Second)
			within(t, "calls / quota in one second without Redis", sum/500, 0.85, 1.1)
		}
		if s := b.members[0].share.Stats(); s.Connected || s.Failures == 0 || s.Members != 10 {
			t.Errorf("without Redis: %+v", s)
		}
		b.away.Store(false)
		_, sum := b.during(20 * time.Second)
		within(t, "calls / quota after it is back", sum/10_000, 0.97, 1.02)
		if s := b.members[0].share.Stats(); !s.Connected {
			t.Errorf("with Redis again: %+v", s)
		}
	})
}

// The other side of a split takes over after one lease, so the sum may exceed the
// quota by what those had that were cut off, and not by more.
func TestSplitExceedsTheQuotaByNoMoreThanWhatWasLent(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		for range 10 {
			b.calls(b.rate(fleet.Config{Hold: 10 * time.Second}, 500, 50), 0, 100, time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		for _, m := range b.members[:4] {
			m.cut.Store(true)
		}
		time.Sleep(2 * time.Second)
		each, sum := b.during(5 * time.Second)
		within(t, "calls of those cut off / quota", (each[0]+each[1]+each[2]+each[3])/2500, 0.35, 0.42)
		within(t, "all calls / quota", sum/2500, 1.3, 1.42)
	})
}

func TestShareOfAKilledProcessGoesToTheOthersWithinALease(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		killed := b.rate(fleet.Config{}, 100, 10)
		b.calls(b.rate(fleet.Config{}, 100, 10), 0, 100, time.Millisecond)
		killed.cut.Store(false)
		b.calls(killed, 0, 100, time.Millisecond)
		time.Sleep(3 * time.Second)
		killed.cut.Store(true)
		time.Sleep(1200 * time.Millisecond)
		each, _ := b.during(5 * time.Second)
		within(t, "calls of the other / quota", each[1]/500, 0.97, 1.03)
	})
}

func TestFirstCallsNeedNoRedis(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		b.away.Store(true)
		b.calls(b.rate(fleet.Config{Fallback: 20}, 1000, 100), 0, 10, time.Millisecond)
		_, sum := b.during(10 * time.Second)
		within(t, "calls / fallback", sum/200, 0.95, 1.02)
		if r := b.members[0].share.Reason(); r != "fallback share, without Redis" {
			t.Errorf("reason %q", r)
		}
	})
}

// An eviction or a restart must not fill the bucket again.
func TestLostDataLendNothingTwice(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		for range 10 {
			b.calls(b.rate(fleet.Config{}, 500, 500), 0, 100, time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		sum := 0.0
		for range 20 {
			b.server.FlushAll()
			_, n := b.during(time.Second)
			sum += n
		}
		within(t, "calls / quota", sum/10_000, 0.8, 1.005)
	})
}

func TestClockOfRedisSetBack(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		for range 5 {
			b.calls(b.rate(fleet.Config{}, 500, 50), 0, 100, time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		// From now on its clock is moved by hand, an hour behind.
		epoch := time.Now().Add(-time.Hour)
		began := time.Now()
		b.callers.Go(func() {
			for b.ctx.Err() == nil {
				b.server.SetTime(epoch.Add(time.Since(began)))
				time.Sleep(time.Millisecond)
			}
		})
		time.Sleep(time.Second)
		_, sum := b.during(10 * time.Second)
		within(t, "calls / quota", sum/5000, 0.95, 1.01)
	})
}

func TestCloseGivesBackWhatIsInHand(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		m := b.rate(fleet.Config{}, 1, 10)
		time.Sleep(5 * time.Second) // and has one in hand
		stock := func() float64 {
			n, err := strconv.ParseFloat(b.server.HGet("quota:rate", "stock"), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := stock()
		if err := m.share.Close(); err != nil {
			t.Error(err)
		}
		within(t, "tokens that have come back", stock()-before, 1, 1.2)
		keys, err := b.server.HKeys("quota:rate")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if strings.HasPrefix(key, "m:") {
				t.Errorf("after Close there is still %v", key)
			}
		}
		if err := m.share.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	})
}

func TestManyProcesses(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		n := *processes
		for range n {
			b.calls(b.rate(fleet.Config{Renew: time.Second, Lease: 5 * time.Second}, float64(5*n), 5*n), 0, 5, time.Millisecond)
		}
		time.Sleep(8 * time.Second)
		each, sum := b.during(10 * time.Second)
		within(t, "calls / quota", sum/float64(50*n), 0.97, 1.03)
		within(t, "Jain", jain(each), 0.97, 1)
	})
}
