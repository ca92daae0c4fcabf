package simulation

import (
	_ "embed"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/internal/chance"
	"github.com/tidegate-go/tidegate/internal/racedetector"
)

var (
	theSeed = flag.Uint64("seed", 0, "`number` that all chance follows from; 0 draws one")
	hours   = flag.Float64("hours", 1, "how long a run lasts, in virtual time")
)

// regressions are seeds that once failed, and what they showed.
//
//go:embed regressions.txt
var regressions string

// play plays a seed and returns the digest of its history.
func play(t *testing.T, seed uint64, lasts time.Duration) (history uint64) {
	defer chance.Follow(seed)()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // who is woken first runs first
	synctest.Test(t, func(t *testing.T) {
		r := newRun(t, seed, lasts)
		r.play()
		synctest.Wait()
		r.settle()
		history = r.history
	})
	return history
}

// An hour in which everything goes wrong, on a seed that is drawn anew.
func TestSomethingThatMustHoldDoesNot(t *testing.T) {
	seed := *theSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	long := time.Duration(*hours * float64(time.Hour))
	if testing.Short() {
		long /= 20
	}
	var before, after runtime.MemStats
	play(t, seed, long/20) // so that what is made once is there
	runtime.GC()
	runtime.ReadMemStats(&before)
	play(t, seed, long)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap has grown by %d kB", grown>>10)
	}
}

// Here a seed may give another history than the one it is kept for; internal/replay
// plays that one.
func TestOldDefectIsBack(t *testing.T) {
	for line := range strings.Lines(regressions) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var seed uint64
		var hours float64
		if _, err := fmt.Sscan(line, &seed, &hours); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if testing.Short() {
			hours /= 20
		}
		play(t, seed, time.Duration(hours*float64(time.Hour)))
	}
}

// What a seed has shown it must show again; see the package comment for why not always.
func TestSeedGivesAnotherHistory(t *testing.T) {
	if racedetector.On {
		t.Skip("the race detector shuffles what runs first, on purpose")
	}
	const seeds = 6
	same := 0
	histories := map[uint64]bool{}
	for range seeds {
		seed := rand.Uint64()
		first := play(t, seed, time.Minute)
		if play(t, seed, time.Minute) == first {
			same++
		}
		histories[first] = true
	}
	if same < seeds/2 {
		t.Errorf("only %d of %d seeds gave one history twice", same, seeds)
	}
	if len(histories) != seeds {
		t.Errorf("%d seeds gave %d histories", seeds, len(histories))
	}
}
