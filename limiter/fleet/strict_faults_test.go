package fleet_test

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

func TestStrictRateStopsWhenTheClockOfRedisIsSetBack(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		s := must(fleet.NewStrictRate(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota", MaxWait: time.Second}, 100, 10))
		var n atomic.Int64
		b.callers.Go(func() {
			for b.ctx.Err() == nil {
				if release, err := s.Acquire(b.ctx); err == nil {
					n.Add(1)
					release()
				} else {
					time.Sleep(time.Millisecond)
				}
			}
		})
		time.Sleep(2 * time.Second)
		b.setClock(-time.Hour)
		time.Sleep(time.Millisecond)
		before := n.Load()
		time.Sleep(10 * time.Second)
		within(t, "calls / quota", float64(n.Load()-before)/1000, 0.97, 1.02)
	})
}

func TestStrictSlotsAreTakenTwiceWhenRedisHasLostItsData(t *testing.T) {
	inBed(t, func(t *testing.T, b *bed) {
		s := must(fleet.NewStrictSlots(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota"}, 3))
		defer s.Close()
		var all counter
		for range 10 {
			b.callers.Go(func() {
				for {
					release, err := s.Acquire(b.ctx)
					if err != nil {
						return
					}
					all.enter()
					time.Sleep(2 * time.Second)
					all.now.Add(-1)
					release()
				}
			})
		}
		time.Sleep(3 * time.Second)
		for range 3 {
			b.server.FlushAll()
			time.Sleep(5 * time.Second)
		}
		within(t, "most slots in use", float64(all.most.Load()), 3, 3)
		b.stop()
		b.callers.Wait()
	})
}

// Leases end while Redis is away, or when its clock jumps, and their calls go on.
func TestStrictSlotsAreTakenTwiceAfterAnOutage(t *testing.T) {
	for name, fault := range map[string]func(b *bed){
		"away": func(b *bed) {
			b.away.Store(true)
			time.Sleep(2 * time.Second)
			b.away.Store(false)
		},
		"clock ahead": func(b *bed) { b.setClock(5 * time.Second) },
		"clock back":  func(b *bed) { b.setClock(-time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			inBed(t, func(t *testing.T, b *bed) {
				var all counter
				var gates []*fleet.Strict
				for range 3 {
					s := must(fleet.NewStrictSlots(fleet.Config{Redis: b.client(new(atomic.Bool)), Key: "quota"}, 3))
					gates = append(gates, s)
					for range 3 {
						b.callers.Go(func() {
							for b.ctx.Err() == nil {
								release, err := s.Acquire(b.ctx)
								if err != nil {
									time.Sleep(10 * time.Millisecond)
									continue
								}
								all.enter()
								time.Sleep(6 * time.Second)
								all.now.Add(-1)
								release()
							}
						})
					}
				}
				time.Sleep(3 * time.Second)
				fault(b)
				time.Sleep(10 * time.Second)
				within(t, "most slots in use", float64(all.most.Load()), 3, 3)
				b.stop()
				b.callers.Wait()
				for _, s := range gates {
					s.Close()
				}
			})
		})
	}
}

// A call that must wait no longer, and one that is over, do not wait for Redis.
func TestStrictCallHangsWithRedis(t *testing.T) {
	addr, server := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	rate := must(fleet.NewStrictRate(fleet.Config{Redis: client, Key: "a"}, 1000, 10))
	slots := must(fleet.NewStrictSlots(fleet.Config{Redis: client, Key: "a"}, 10))
	defer slots.Close()
	must(rate.Acquire(t.Context()))
	release := must(slots.Acquire(t.Context()))
	server.Signal(syscall.SIGSTOP)
	for name, f := range map[string]func(){
		"rate.Acquire with 100 ms": func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := rate.Acquire(ctx)
			t.Log(err)
		},
		"slots.Acquire with 100 ms": func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := slots.Acquire(ctx)
			t.Log(err)
		},
		"release": release,
	} {
		began := time.Now()
		f()
		within(t, name+" took seconds", time.Since(began).Seconds(), 0, 3) // the client itself waits for 5 and more
	}
	server.Signal(syscall.SIGCONT)
}

// The answer to a first take is lost, and the client asks again.
func TestRepeatedTakeWaitsForItself(t *testing.T) {
	addr, server := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: 500 * time.Millisecond, MaxRetries: 10})
	defer client.Close()
	slots := must(fleet.NewStrictSlots(fleet.Config{Redis: client, Key: "a", Lease: 5 * time.Second}, 1))
	defer slots.Close()
	must(slots.Acquire(t.Context()))()
	// Until it is given back: a connection that begins while Redis stands still is not
	// repeated.
	for client.ZCard(t.Context(), "a:strict-slots").Val() > 2 {
		time.Sleep(time.Millisecond)
	}
	server.Signal(syscall.SIGSTOP)
	time.AfterFunc(700*time.Millisecond, func() { server.Signal(syscall.SIGCONT) })
	began := time.Now()
	must(slots.Acquire(t.Context()))()
	within(t, "a lone call got its slot after seconds", time.Since(began).Seconds(), 0, 4)
}

// More than a script of Redis takes.
func TestCloseKeepsManySlots(t *testing.T) {
	addr, _ := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	s := must(fleet.NewStrictSlots(fleet.Config{Redis: client, Key: "a", Lease: 2 * time.Second}, 10000))
	for range 9000 {
		must(s.Acquire(t.Context()))
	}
	within(t, "slots held, and two marks", float64(client.ZCard(t.Context(), "a:strict-slots").Val()), 9002, 9002)
	s.Close()
	within(t, "what is left", float64(client.ZCard(t.Context(), "a:strict-slots").Val()), 2, 2)
}

func TestStrictWaitsLongerThanMaxWait(t *testing.T) {
	addr, server := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	rate := must(fleet.NewStrictRate(fleet.Config{Redis: client, Key: "a", MaxWait: 100 * time.Millisecond}, 1000, 10))
	must(rate.Acquire(t.Context()))
	server.Signal(syscall.SIGSTOP)
	began := time.Now()
	_, err := rate.Acquire(context.Background())
	within(t, "seconds, with a MaxWait of 100 ms", time.Since(began).Seconds(), 0, 3)
	if !errors.Is(err, fleet.ErrUnavailable) || !errors.Is(err, limiter.ErrMaxWait) {
		t.Error(err)
	}
}
