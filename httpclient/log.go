package httpclient

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.uber.org/zap"

	"github.com/tidegate-go/tidegate/limiter"
)

var nopCore = zap.NewNop().Core()

// A hostLog writes about one host. Lines that could come with every request
// come at most once a second; they say how many they stand for. A line never
// contains anything of a request but its host.
type hostLog struct {
	to        *zap.Logger
	rejection sample
	quiet     sample
	limits    sample
	overheld  sample
	limit     int // that was logged last; used by the observer alone
}

// A sample lets one through per second.
type sample struct {
	next  atomic.Int64 // Unix nanoseconds
	count atomic.Int64 // since the last one that went through
}

// take reports whether this one goes through, and for how many it stands.
func (s *sample) take() (n int64, ok bool) {
	s.count.Add(1)
	now := time.Now()
	next := s.next.Load()
	if now.UnixNano() < next || !s.next.CompareAndSwap(next, now.Add(time.Second).UnixNano()) {
		return 0, false
	}
	return s.count.Swap(0), true
}

// rejected counts and logs a request that was not sent.
func (h *host) rejected(err error) {
	var r *limiter.RejectedError
	//nolint:errorlint // one within the cause of a caller's context is another host's
	if _, ours := err.(*BreakerError); ours {
		h.breaker.refused.Add(1)
	} else if errors.As(err, &r) && r.Reason == limiter.GaveUp {
		return // the caller's own wish
	}
	if !h.log.to.Core().Enabled(zap.WarnLevel) {
		return
	}
	n, ok := h.log.rejection.take()
	if !ok {
		return
	}
	fields := []zap.Field{zap.String("host", h.name), zap.Int64("count", n)}
	if r != nil {
		fields = append(fields, zap.Stringer("reason", r.Reason), zap.Duration("waited", r.Waited),
			zap.Int("limit", r.Limit), zap.Int("in_flight", r.InFlight), zap.Int("queued", r.Queued))
	} else {
		fields = append(fields, zap.String("reason", err.Error()))
	}
	h.log.to.Warn("request rejected", fields...)
}

// changed logs a change of the breaker's state.
func (h *host) changed(n transition) {
	fields := []zap.Field{zap.String("host", h.name), zap.Stringer("from", n.from)}
	switch {
	case n.to == gobreaker.StateOpen && n.from == gobreaker.StateClosed:
		h.log.to.Warn("circuit breaker opened", append(fields,
			zap.Uint32("failures", n.counts.TotalFailures), zap.Uint32("successes", n.counts.TotalSuccesses),
			zap.Duration("open_for", n.open))...)
	case n.to == gobreaker.StateOpen:
		h.log.to.Warn("circuit breaker opened again: a probe failed", append(fields,
			zap.Duration("open_for", n.open))...)
	case n.to == gobreaker.StateHalfOpen:
		h.log.to.Info("circuit breaker half-open", fields...)
	default:
		h.log.to.Info("circuit breaker closed", fields...)
	}
}

// paused logs that the server has asked for quiet.
func (h *host) paused(d time.Duration) {
	if !h.log.to.Core().Enabled(zap.InfoLevel) {
		return
	}
	if n, ok := h.log.quiet.take(); ok {
		h.log.to.Info("paused by Retry-After", zap.String("host", h.name), zap.Duration("for", d), zap.Int64("count", n))
	}
}

// observe hears what happens in a Limiter that the Transport has made.
func (h *host) observe(e limiter.Event) {
	if e.Kind != limiter.LimitChanged {
		return
	}
	last := h.log.limit
	if last == 0 { // it has just been made
		h.log.limit = e.Limit
		return
	}
	n, ok := h.log.limits.take()
	if !ok {
		return
	}
	h.log.limit = e.Limit
	h.log.to.Info("limit changed", zap.String("host", h.name), zap.Int("from", last), zap.Int("to", e.Limit),
		zap.String("reason", e.Cause), zap.Int64("count", n))
}
