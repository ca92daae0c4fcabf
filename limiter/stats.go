package limiter

import (
	"math"
	"time"
)

// Stats is how a Limiter stands and what it has done since it was made. The
// counts add up at every moment:
//
//	Admitted = InFlight + the sum of Outcomes of calls that have ended
//	calls of Acquire and TryAcquire = Admitted + the sum of Rejected + Queued
type Stats struct {
	Limit        int // what the policy said last; math.MaxInt for no limit
	InFlight     int
	PeakInFlight int // the most there ever were
	Queued       int

	Admitted uint64
	Rejected RejectedCounts
	Outcomes OutcomeCounts // of calls that have been reported or released
	Leaked   uint64        // permits that were lost without a Release

	// Waiting sums up how long admitted calls waited, those that did not have
	// to wait left out.
	Waiting Summary

	// Latency sums up the calls that ended in Success, from start to report.
	// It is empty for policies that are [Clockless], unless the Limiter is
	// observed.
	Latency Summary

	ObserverPanics uint64
}

// OutcomeCounts counts calls by [Outcome].
type OutcomeCounts struct{ Ignored, Success, Failed, Refused, Overdue, Cancelled uint64 }

// Sum returns the number of calls counted.
func (c OutcomeCounts) Sum() uint64 {
	return c.Ignored + c.Success + c.Failed + c.Refused + c.Overdue + c.Cancelled
}

// RejectedCounts counts rejected calls by [Reason].
type RejectedCounts struct{ QueueFull, Evicted, WaitedTooLong, Deadline, GaveUp, Busy uint64 }

// Sum returns the number of calls counted.
func (c RejectedCounts) Sum() uint64 {
	return c.QueueFull + c.Evicted + c.WaitedTooLong + c.Deadline + c.GaveUp + c.Busy
}

// Summary sums up durations. The zero Summary is of none.
type Summary struct {
	Count      uint64
	Total, Max time.Duration
}

// Mean returns the mean, or 0 of none.
func (s Summary) Mean() time.Duration {
	if s.Count == 0 {
		return 0
	}
	return s.Total / time.Duration(s.Count)
}

func (s *Summary) add(d time.Duration) {
	s.Count++
	s.Total += d
	s.Max = max(s.Max, d)
}

type counters struct {
	admitted uint64
	outcomes [outcomes]uint64
	peak     int
	latency  Summary
	rare     *rareCounters // nil: all are zero
}

// rareCounters are for what never happens to most Limiters.
type rareCounters struct {
	rejected [reasons]uint64
	leaked   uint64
	waiting  Summary
}

// seldom returns the rare counters, to be counted up.
func (c *counters) seldom() *rareCounters {
	if c.rare == nil {
		c.rare = new(rareCounters)
	}
	return c.rare
}

// Stats returns how l stands. It may be called at any time, also from an
// observer, and never calls the observer itself.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	l.prepare()
	s, o := &l.stats, &l.stats.outcomes
	now := Stats{
		Limit: l.limit, InFlight: l.inFlight, PeakInFlight: s.peak, Queued: l.queue.len,
		Admitted: s.admitted,
		Outcomes: OutcomeCounts{o[Ignored], o[Success], o[Failed], o[Refused], o[Overdue], o[Cancelled]},
		Latency:  s.latency,
	}
	if s.rare != nil {
		r := &s.rare.rejected
		now.Rejected = RejectedCounts{r[QueueFull], r[Evicted], r[WaitedTooLong], r[Deadline], r[GaveUp], r[Busy]}
		now.Leaked, now.Waiting = s.rare.leaked, s.rare.waiting
	}
	if l.events != nil {
		now.ObserverPanics = l.events.panics
	}
	l.mu.Unlock() // not unlock: the observer is not called
	return now
}

// limitText is a limit for people.
func limitText(limit int) string {
	if limit == math.MaxInt {
		return "none"
	}
	return itoa(limit)
}
