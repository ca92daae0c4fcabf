package postgres

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestWaitEndsWithTheLastEarlierAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rollCall
		for range 4 {
			r.begin()
		}
		r.answer(2) // Out of order, as answers come.
		over := false
		go func() {
			if err := r.wait(t.Context()); err != nil {
				t.Error(err)
			}
			over = true
		}()
		for _, n := range []uint64{0, 3} {
			synctest.Wait()
			r.answer(n)
		}
		synctest.Wait()
		if over {
			t.Fatal("wait returned although attempt 1 has no answer")
		}
		later := r.begin() // Must not be waited for.
		r.answer(1)
		synctest.Wait()
		if !over {
			t.Fatal("wait goes on although all earlier attempts have their answers")
		}
		r.answer(later)
		if r.low != 5 || len(r.answered) != 0 || len(r.waiting) != 0 {
			t.Errorf("left behind: low %d, %d answered, %d waiting", r.low, len(r.answered), len(r.waiting))
		}
	})
}

func TestWaitWithNothingOpenReturnsAtOnce(t *testing.T) {
	var r rollCall
	if err := r.wait(t.Context()); err != nil {
		t.Error(err)
	}
	r.answer(r.begin())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.wait(ctx); err != nil {
		t.Errorf("%v, although there was nothing to wait for", err)
	}
}

func TestCanceledWaiterDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rollCall
		n := r.begin()
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() { results <- r.wait(ctx) }()
		synctest.Wait()
		go func() { results <- r.wait(t.Context()) }()
		synctest.Wait()
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("the canceled wait returned %v", err)
		}
		r.answer(n)
		if err := <-results; err != nil {
			t.Errorf("the other wait returned %v", err)
		}
		if len(r.waiting) != 0 {
			t.Error("a waiter is left behind")
		}
	})
}
