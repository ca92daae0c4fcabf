package fleet_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

func TestStrictRateHoldsToTheLastCall(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var n atomic.Int64
		for range 5 {
			s := must(fleet.NewStrictRate(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota"}, 100, 10))
			for range 4 {
				b.callers.Go(func() {
					for {
						release, err := s.Acquire(b.ctx)
						if err != nil {
							return
						}
						n.Add(1)
						release()
					}
				})
			}
		}
		time.Sleep(10 * time.Second)
		within(t, "calls in ten seconds", float64(n.Load()), 1000, 1011)
	})
}

func TestStrictSlotsAreNeverTakenTwice(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var all counter
		var n atomic.Int64
		for range 5 {
			s := must(fleet.NewStrictSlots(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota"}, 3))
			for range 2 {
				b.callers.Go(func() {
					defer s.Close()
					for {
						release, err := s.Acquire(b.ctx)
						if err != nil {
							return
						}
						all.enter()
						n.Add(1)
						time.Sleep(2 * time.Second) // longer than a lease: it is renewed
						all.now.Add(-1)
						release()
					}
				})
			}
		}
		time.Sleep(60 * time.Second)
		within(t, "most at once", float64(all.most.Load()), 3, 3)
		within(t, "calls in a minute", float64(n.Load()), 80, 93)
	})
}

func TestStrictSlotOfAKilledProcess(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var killed atomic.Bool
		first := must(fleet.NewStrictSlots(fleet.Config{Redis: b.client(&killed), Key: "quota"}, 1))
		other := must(fleet.NewStrictSlots(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota"}, 1))
		must(first.Acquire(t.Context()))
		killed.Store(true)
		began := time.Now()
		release, err := other.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		release()
		within(t, "seconds until the slot is free", time.Since(began).Seconds(), 0.5, 1.2)
		other.Close()
		killed.Store(false)
		first.Close()
	})
}

// Its lease ends an hour later than it should.
func TestStrictSlotOfAKilledProcessWhenTheClockIsSetBack(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		var killed atomic.Bool
		first := must(fleet.NewStrictSlots(fleet.Config{Redis: b.client(&killed), Key: "quota"}, 1))
		other := must(fleet.NewStrictSlots(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota"}, 1))
		must(first.Acquire(t.Context()))
		killed.Store(true)
		b.setClock(-time.Hour)
		time.Sleep(time.Millisecond)
		began := time.Now()
		release, err := other.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		release()
		within(t, "seconds until the slot is free", time.Since(began).Seconds(), 0, 2)
		other.Close()
		killed.Store(false)
		first.Close()
	})
}

func TestStrictSaysWhyNot(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		s := must(fleet.NewStrictRate(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota", MaxWait: time.Second}, 0.1, 1))
		must(s.Acquire(t.Context()))
		is := func(err error, what ...error) {
			t.Helper()
			for _, w := range what {
				if !errors.Is(err, w) {
					t.Errorf("%v is not %v", err, w)
				}
			}
		}
		_, err := s.Acquire(t.Context())
		is(err, limiter.ErrRejected, limiter.ErrMaxWait)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.Acquire(ctx)
		is(err, limiter.ErrRejected, context.Canceled)
		b.away.Store(true)
		_, err = s.Acquire(t.Context())
		is(err, limiter.ErrRejected, fleet.ErrUnavailable)
	})
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
