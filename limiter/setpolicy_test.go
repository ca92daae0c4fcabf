package limiter_test

import (
	"context"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// How fast the line moved under one policy says nothing of the next.
func TestNewPolicyIsReckonedByThePaceOfTheOld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Rate(1, 1))
		for range 200 {
			go func() {
				if p, err := l.Acquire(t.Context()); err == nil {
					p.Release()
				}
			}()
		}
		sleep(50 * time.Second)
		l.SetPolicy(limiter.Rate(1000, 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p, err := l.Acquire(ctx)
		if err != nil {
			t.Fatalf("with 150 before it and a thousand per second: %v", err)
		}
		p.Release()
	})
}

// A Fixed needs no clock, so nobody knows when a call under it has begun; with a policy
// that needs one the call must not look as old as the Limiter.
func TestCallFromBeforeTheClockCountsAsLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := limiter.New(limiter.Fixed(1))
		p := acquire(t, l)
		sleep(time.Hour)
		l.SetPolicy(limiter.Adaptive(limiter.AdaptiveConfig{}))
		p.Done(limiter.Success)
		if s := l.Stats(); s.Latency.Count != 0 || s.Outcomes.Success != 1 {
			t.Errorf("%+v", s)
		}
	})
}
