package limiter_test

import (
	"testing"
	"time"
)

func TestAdaptiveTakesALongerPathForAQueue(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		// 50 ms more path need four times the concurrency.
		w := testWorld(seed, constantWorkers(20), 1)
		w.path = becoming(time.Duration(0), 30*time.Second, 50*time.Millisecond)
		const span = 50 * time.Second
		s := w.run(30*time.Second, 10*time.Second, span)
		check(t, "path + 50 ms", s[2], span, 2000, 0.93, 75*time.Millisecond)
	})
}

// After a quiet time, and with calls that have become long, the next regular experiment is
// many seconds away. Those out of turn once believed a third of what they saw each time,
// so that for a quarter of a minute hardly any goodput was left.
func TestAdaptiveWaitsForARegularExperimentWhileThePathIsLong(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(20), 1)
		w.path = becoming(5*time.Millisecond, 4*time.Minute, 160*time.Millisecond)
		const span = 10 * time.Second
		s := w.run(4*time.Minute, 5*time.Second, span)
		check(t, "path × 32", s[2], span, 2000, 0.75, 200*time.Millisecond)
	})
}

// At a limit of one there is nothing to take away, so no experiment can tell that
// the path has become longer: the base would be too low for good.
func TestAdaptiveStaysAtOneForGood(t *testing.T) {
	onSeeds(t, func(t *testing.T, seed uint64) {
		w := testWorld(seed, constantWorkers(3), 1)
		w.service = constantService(7356 * time.Microsecond)
		w.path = becoming(3*time.Millisecond, 30*time.Second, 16600*time.Microsecond)
		const span = 50 * time.Second
		s := w.run(30*time.Second, 10*time.Second, span)
		check(t, "path × 5", s[2], span, 3/0.007356, 0.9, 40*time.Millisecond)
	})
}
