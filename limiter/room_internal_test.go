package limiter

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A policy may find by the time alone that there is room, as when an experiment of
// Adaptive is over, and be asked by a call that is turned away: it has to be told how
// long to wait. Those in line then waited for the next event.
func TestRoomThatOneWhoIsTurnedAwayHasFoundStaysEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := AIMD(AIMDConfig{Initial: 1, Min: 1, Max: 9}).(*aimd)
		l := New(a)
		held, _ := l.TryAcquire()
		defer held.Release()
		admitted := false
		go func() {
			p, _ := l.Acquire(t.Context())
			admitted = true
			p.Release()
		}()
		synctest.Wait()
		l.mu.Lock()
		a.limit = 9
		l.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Acquire(ctx); err == nil {
			t.Fatal("a call with an ended context was admitted")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if !admitted {
			t.Errorf("1 waits, though 1 of %d is in flight", l.Stats().Limit)
		}
	})
}
