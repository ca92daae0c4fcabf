// Package chance draws the random times of the transport: jitter that keeps clients from
// doing things together. It is a package of its own so that the simulation can have all
// chance follow from a seed.
package chance

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"
)

var seed atomic.Pointer[uint64]

// Below returns a random time of at least 0 and less than bound, which must be positive.
func Below(bound time.Duration) time.Duration {
	s := seed.Load()
	if s == nil {
		return rand.N(bound)
	}
	// A function of the moment, so that it does not matter who asks first.
	h := fnv.New64a()
	h.Write(strconv.AppendInt(strconv.AppendUint(nil, *s, 36), time.Now().UnixNano(), 36))
	return time.Duration(rand.New(rand.NewPCG(h.Sum64(), uint64(bound))).Int64N(int64(bound)))
}

// Follow has all that is drawn follow from a seed and the time until undo is called. It
// is for tests in virtual time.
func Follow(from uint64) (undo func()) {
	seed.Store(&from)
	return func() { seed.Store(nil) }
}
