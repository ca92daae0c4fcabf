package origin

import "time"

// Stats is the origin's own account of an interval, which begins at Start and
// again at each Reset. It is a snapshot taken under one lock, so that
//
//	Started = Served + ServedLate + Rejected + InFlight
//
// holds in every one of them, and without InFlight after Drain. The exception
// is Connections, which is counted elsewhere and read a moment later.
type Stats struct {
	// Started counts the requests that reached the origin, refused ones included.
	Started int64
	// Served counts the requests that were answered 200 to a caller still there.
	Served int64
	// ServedLate counts the requests that were worked on in full although the
	// caller had gone by then: wasted work. A caller that leaves in the last
	// microseconds, while the answer is on its way, still counts as Served.
	ServedLate int64
	// Rejected counts the requests that were answered 503, because the queue
	// was full or because a Reset emptied it, or 429, because the quota was
	// used up.
	Rejected int64
	// InFlight is the number of requests in the origin now, waiting or worked on.
	InFlight int64
	// Queued is the number of requests now waiting for a worker.
	Queued int64
	// MaxInFlight and MaxQueued are the largest values that InFlight and
	// Queued have had.
	MaxInFlight int64
	MaxQueued   int64
	// Connections counts the TCP connections accepted; those opened before the
	// interval and kept alive into it are not counted again.
	Connections int64
	// Busy is the worker time used: at most Workers × Elapsed, and less by
	// what the workers spent idle.
	Busy time.Duration
	// Elapsed is the length of the interval so far.
	Elapsed time.Duration
	// MaxLag is the longest time by which an answer left after the moment its
	// worker was due to finish. About 1 ms is ordinary for timers. A value
	// above Config.Service says that the machine was too busy for the origin
	// to keep its pace, and that the run's latencies describe the machine.
	MaxLag time.Duration
	// Median is the median time that requests which were worked on spent in
	// the origin, waiting included; 0 if there were none.
	Median time.Duration
}
