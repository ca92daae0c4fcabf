package simulation

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

var soak = flag.Duration("soak", 0, "plays for so long in real time, on all processors")

// The same in real time, where goroutines run at once and timers are late. Heap and
// goroutines must be at the end what they were after the first fifth.
func TestSoakGrows(t *testing.T) {
	if *soak == 0 {
		t.Skip("on demand: -soak 5m (and with more than that, -timeout)")
	}
	seed := *theSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	usage := func(lasts time.Duration) (heap int64, goroutines int) {
		r := newRun(t, seed, lasts)
		r.slack, r.blur = time.Second, time.Second
		r.play()
		r.settle()
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // the first leaves what has a cleanup
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc), runtime.NumGoroutine()
	}
	heap, goroutines := usage(*soak / 5)
	heap2, goroutines2 := usage(*soak * 4 / 5)
	t.Logf("heap %d and %d kB, %d and %d goroutines", heap>>10, heap2>>10, goroutines, goroutines2)
	if heap2-heap > 4<<20 {
		t.Errorf("the heap has grown by %d kB", (heap2-heap)>>10)
	}
	if goroutines2 > goroutines {
		t.Errorf("%d goroutines, %d before", goroutines2, goroutines)
	}
}
