package peers

import (
	"context"
	"runtime"
	"sync"
	"testing"
)

// A load is the shape in which an operation is measured. All sides of a
// benchmark get the same one.
type load struct {
	goroutines int
	places     int
	// held makes each goroutine yield while it has a place. On few cores
	// nothing else makes others find the places taken: the time between
	// Acquire and Release is too short to be interrupted.
	held bool
}

// A side is one implementation of an operation.
//
// make returns a function that does the operation n times. The loop is on the
// side's side so that its calls are direct: a call through a function value for
// each operation would cost as much as a tenth of what is measured, and would
// flatter the slower side of every ratio.
type side struct {
	name string
	make func(load) func(n int)
}

// warmUp is how many operations go before the timer starts: the steady state is
// what counts, and an adaptive limit keeps up to 512 samples.
const warmUp = 4096

// compare measures each side under the same load.
func compare(b *testing.B, l load, sides []side) {
	for _, s := range sides {
		b.Run(s.name, func(b *testing.B) {
			run := s.make(l)
			l.prepare(warmUp, run)()
			start := l.prepare(b.N, run)
			b.ReportAllocs()
			b.ResetTimer()
			start()
		})
	}
}

// prepare returns a function that does n operations, shared evenly among the
// goroutines. These exist already and only wait for it, so that starting them
// is not measured.
func (l load) prepare(n int, do func(n int)) (start func()) {
	if l.goroutines == 1 {
		return func() { do(n) }
	}
	var all sync.WaitGroup
	gate := make(chan struct{})
	for i := range l.goroutines {
		share := n / l.goroutines
		if i < n%l.goroutines {
			share++
		}
		all.Go(func() {
			<-gate
			do(share)
		})
	}
	return func() {
		close(gate)
		all.Wait()
	}
}

// hold is what happens between acquire and release.
func (l load) hold() {
	if l.held {
		runtime.Gosched()
	}
}

var (
	alone = load{goroutines: 1, places: 8}

	// With places for everybody: what the cores take from each other is the
	// cache line of the lock.
	everyCore = load{goroutines: runtime.GOMAXPROCS(0), places: 8 * runtime.GOMAXPROCS(0)}

	// With places for half of them, so that now and then one has to wait.
	contended = load{goroutines: runtime.GOMAXPROCS(0), places: max(1, runtime.GOMAXPROCS(0)/2)}

	manyForFew     = load{goroutines: 64, places: 2}
	manyForFewHeld = load{goroutines: 64, places: 2, held: true}
)

var background = context.Background()

// must stops a benchmark whose operation does not do what it is timed for: a
// rejection is faster than a permit.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
