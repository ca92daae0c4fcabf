package httpclient

import (
	"time"

	"go.uber.org/zap"
)

// lookForLeaks says once if bodies have been forgotten. The Limiter recovers
// their places; that they are forgotten is a mistake in the program all the
// same, since each costs a connection.
func (h *host) lookForLeaks() {
	if h.leaked.Load() {
		return
	}
	n := h.limiter.Stats().Leaked
	if n > 0 && h.leaked.CompareAndSwap(false, true) {
		h.log.to.Warn("response bodies are never closed: their places were recovered by the garbage collector",
			zap.String("host", h.name), zap.Uint64("count", n))
	}
}

// overheldFor counts and logs a place that was given back by MaxHold.
func (h *host) overheldFor(d time.Duration) {
	h.overheld.Add(1)
	if n, ok := h.log.overheld.take(); ok {
		h.log.to.Warn("a response body did not end within MaxHold: its place was given back",
			zap.String("host", h.name), zap.Duration("after", d), zap.Int64("count", n))
	}
}
