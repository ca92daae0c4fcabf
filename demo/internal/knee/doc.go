// Package knee answers from a measured curve how many calls should be in flight.
// It measures nothing itself and knows no clock: everything here is a function
// of its arguments.
//
// # The rule
//
// Goodput is successful answers per second. The knee is the smallest limit with
// at least 95 % of the best goodput: below it capacity is given away, above it
// calls wait in somebody's queue and gain next to nothing. It is a rule and not
// the place where a drawn curve seems to bend, because that moves with the scale
// of the axes (N. J. Gunther, "Mind your knees and queues", 2009).
//
// # The true knee
//
// For an origin whose parameters are known there is a true answer, which the
// measured one can be held against. K workers, each busy for S with a call, and
// D of network around them are a closed network of one station with K servers
// and a delay. If S never varies, as with our origin, nobody waits until
// the workers are busy without a pause, and by Little's law
//
//	goodput(n) = min(n / (S + D), K / S)
//	knee       = the smallest n ≥ 0.95 × K × (S + D) / S
//
// which is 8 for 8 workers and no network, and 46 for 8 workers × 10 ms and
// 50 ms of network. Nothing exceeds it: these are the asymptotic bounds of
// operational analysis, and a simulation of the same origin meets them. Service
// times that vary make calls wait for each other below the knee already; for
// exponential ones exact mean value analysis gives the goodput, [Network] has
// both, and one must know which of the two an origin is.
//
// A real call also spends time where no worker is busy: in the two kernels, in
// HTTP, and in a timer that fires late. That is a delay like the network's and
// belongs into D. It is the latency of a call that is alone, less S, which a
// sweep measures with its limit of 1. For 8 workers × 10 ms on loopback it is
// about 1 ms and moves the knee from 8 to 9: the client needs nine in flight
// there, whatever the arithmetic without it says. A sweep therefore states both.
//
// # The interval
//
// A limit's share of the best goodput is measured in several rounds. Its median
// has an interval by order statistics, which presumes nothing about how the
// noise is distributed: of R values, the least and the greatest enclose the
// median with probability 1 - 2^(1-R), 97 % for six. The interval of the knee
// holds every limit that the rounds do not rule out: it ends where the lower end
// of the share reaches 95 %.
//
// A limit with no more than half as many rounds as another is held against the
// best of all rounds as well as against that of its own, and has the lesser of
// the two shares: one round's best is a noisy value.
//
// It begins where the upper end reaches 94 %. The one percent is for what all
// rounds have in common and what moves the measured knee up and never down:
// callers that do not come evenly meet in the queue just below the knee, which
// takes off the corner that the arithmetic above draws there. Besides, no
// latency is known better than to a millisecond, the unit in which Go's timers
// wait on Linux; by Little's law that is goodput × 1 ms calls in flight, by which
// the interval begins earlier.
//
// # The others
//
// Two methods that people know are there for comparison. [Kneedle] finds the
// point that is farthest from a straight line. [FitUSL] fits Gunther's
// Universal Scalability Law; it describes contention that grows smoothly, and
// misses the knee of an origin with a hard cap by a factor of two and more, so
// it is an overlay and never the answer.
package knee
