package limiter_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestKeyedForgetsABusyKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := map[string]int{}
		k := limiter.NewKeyed(2, func(key string) *limiter.Limiter {
			made[key]++
			return limiter.New(limiter.Fixed(1))
		})
		busy, _ := k.TryAcquire("busy")
		for i := range 100 {
			p, ok := k.TryAcquire(fmt.Sprint(i))
			if !ok {
				t.Fatal("a new key has no room")
			}
			p.Release()
		}
		if k.Len() > 3 {
			t.Errorf("%d keys kept", k.Len())
		}
		if _, ok := k.TryAcquire("busy"); ok || made["busy"] != 1 {
			t.Errorf("the busy key was forgotten, made %d times", made["busy"])
		}
		waiter := make(chan limiter.Permit)
		go func() {
			p, err := k.Acquire(t.Context(), "busy")
			if err != nil {
				t.Error(err)
			}
			waiter <- p
		}()
		synctest.Wait()
		busy.Release()
		(<-waiter).Release()
	})
}

func TestKeyedDropsTheMostRecent(t *testing.T) {
	made := map[string]int{}
	k := limiter.NewKeyed(2, func(key string) *limiter.Limiter {
		made[key]++
		return limiter.New(limiter.Fixed(1))
	})
	for _, key := range []string{"a", "b", "a", "c", "a"} { // c drops b
		p, _ := k.TryAcquire(key)
		p.Release()
	}
	if made["a"] != 1 || k.Len() != 2 {
		t.Errorf("made %v, kept %d", made, k.Len())
	}
	var order []string
	for key, l := range k.All() {
		order = append(order, key)
		if l.Stats().InFlight != 0 {
			t.Error("busy")
		}
	}
	if fmt.Sprint(order) != "[a c]" {
		t.Errorf("order %v", order)
	}
}

func TestKeyedBusyBeyondItsBoundNeverShrinks(t *testing.T) {
	k := limiter.NewKeyed(4, func(int) *limiter.Limiter { return limiter.New(limiter.Fixed(1)) })
	var permits []limiter.Permit
	for i := range 100 {
		p, _ := k.TryAcquire(i)
		permits = append(permits, p)
	}
	if k.Len() != 100 {
		t.Errorf("%d keys with 100 busy", k.Len())
	}
	for _, p := range permits {
		p.Release()
	}
	for range 20 { // also of a key that is there
		p, _ := k.TryAcquire(99)
		p.Release()
	}
	if k.Len() > 4 {
		t.Errorf("%d keys kept", k.Len())
	}
}

func TestFirstUsersOfAKeyEachGetALimiter(t *testing.T) {
	var made atomic.Int32
	k := limiter.NewKeyed(4, func(int) *limiter.Limiter {
		made.Add(1)
		runtime.Gosched()
		return limiter.New(limiter.Fixed(1))
	})
	var got atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, ok := k.TryAcquire(7); ok {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 || got.Load() != 1 {
		t.Errorf("%d made, %d admitted", made.Load(), got.Load())
	}
}

func TestKeyedUnderRaceLosesAPermit(t *testing.T) {
	k := limiter.NewKeyed(3, func(int) *limiter.Limiter { return limiter.New(limiter.Fixed(1)) })
	var running [20]atomic.Int32
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				key := (i*7 + g) % len(running)
				p, err := k.Acquire(t.Context(), key)
				if err != nil {
					t.Error(err)
					return
				}
				if running[key].Add(1) > 1 {
					t.Error("two at once for one key")
				}
				runtime.Gosched()
				running[key].Add(-1)
				p.Release()
			}
		})
	}
	wg.Wait()
}

func TestDoKeyedLosesTheKeyDuringItsCall(t *testing.T) {
	made := 0
	k := limiter.NewKeyed(1, func(string) *limiter.Limiter {
		made++
		return limiter.New(limiter.Fixed(1))
	})
	got, err := limiter.DoKeyed(t.Context(), k, "a", func(context.Context) (int, error) {
		for i := range 3 {
			if p, ok := k.TryAcquire(fmt.Sprint(i)); ok {
				p.Release()
			}
		}
		if _, ok := k.TryAcquire("a"); ok {
			t.Error("two calls at once with one place")
		}
		return 7, nil
	})
	if got != 7 || err != nil || made != 4 {
		t.Errorf("%d, %v, %d limiters made", got, err, made)
	}
}

// A permit that was lost is found out by the next who uses the key, and there may be
// none: the key must not stay for its sake.
func TestLostPermitKeepsItsKeyForEver(t *testing.T) {
	k := limiter.NewKeyed(1, func(string) *limiter.Limiter { return limiter.New(limiter.Fixed(1)) })
	for i := range 100 {
		if _, ok := k.TryAcquire(strconv.Itoa(i)); !ok {
			t.Fatal("no room for the first call of a key")
		}
	}
	for deadline := time.Now().Add(20 * time.Second); k.Len() > 1; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d keys are kept, want 1", k.Len())
		}
		runtime.GC()
		if p, ok := k.TryAcquire("another"); ok {
			p.Release()
		}
	}
}

// For a client of many hosts: a Limiter for each, that has seen a call, in a
// kilobyte.
func TestKeyTakesMoreThanAKilobyte(t *testing.T) {
	names := make([]string, 50_000)
	for i := range names {
		names[i] = fmt.Sprintf("host-%d.example.com", i)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // the first leaves what the cleanups of earlier tests held
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, policy := range []string{"fixed", "adaptive"} {
		before := heap()
		k := limiter.NewKeyed(len(names), func(string) *limiter.Limiter { return limiter.New(policies()[policy]()) })
		for _, name := range names {
			p, err := k.Acquire(context.Background(), name)
			if err != nil {
				t.Fatal(err)
			}
			p.Done(limiter.Success)
		}
		took := (heap() - before) / uint64(len(names))
		if took > 1024 {
			t.Errorf("a key with %s takes %d bytes", policy, took)
		}
		t.Logf("%s: %d bytes", policy, took)
		runtime.KeepAlive(k)
	}
}
