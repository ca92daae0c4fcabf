// Package fleet lets many processes share one limit: an API quota of so many calls
// per second, or a database's connection slots. The account is kept in Redis (or
// Valkey); each process works with a share of it that it has been lent.
//
//	share, err := fleet.NewRate(fleet.Config{Redis: client, Key: "payments"}, 1000, 100)
//	if err != nil {
//		return err
//	}
//	defer share.Close()
//	l := limiter.New(limiter.All(share, limiter.Adaptive(limiter.AdaptiveConfig{})))
//
// # Which mode
//
// A [Share], made by [NewRate] or [NewSlots], is a [limiter.Policy]. It asks Redis
// once in [Config].Renew, in the background, for what the process needs until the
// next time; calls only look at what is in hand. So a call costs nanoseconds, Redis
// sees ten commands per second and process however many calls there are, and a
// Redis that is away holds up nobody.
//
// A [Strict], made by [NewStrictRate] or [NewStrictSlots], asks Redis before every
// call. It is for quotas that must hold to the last call, and for fewer slots than
// processes; each call then pays a round trip, and fails while Redis is away.
//
// Limits that are found and not given, those of [limiter.Adaptive], need neither:
// clients of one service share it without knowing of each other.
//
// # How the shares are found
//
// Each process says what it would use if nobody held it back: the calls that have
// started, and those that wait. What there is goes to the processes by max-min
// fairness: who wants less than an equal part gets what he wants, and the rest is
// divided equally among the others, by the same rule.
//
// Of a rate, tokens are lent and not the rate itself. They are taken from one bucket
// when they are lent, and what is not used is given back at the next renewal. So the
// fleet never starts more calls than have been filled into the bucket, whatever the
// shares, and what one process leaves, another one gets. Of slots, whole slots are
// lent; a process whose share shrinks keeps what it has until it has heard of that, and
// what its calls still use until they end; the sum of what is kept and lent never
// exceeds the limit.
//
// # When things fail
//
// A process that is killed loses its share when [Config].Lease is over. A process
// that cannot reach Redis goes on with the share that it had, for [Config].Hold, and
// then with an equal part of the whole if that is less. The share of a process that was
// idle is a tenth of an equal part; of slots it is the one it has in hand. If all are
// cut off, the sum does not grow; if some are, the others take over their shares after
// one lease, so the fleet exceeds the limit by at most what those had. A process that has never reached Redis
// works with [Config].Fallback, which comes on top. A Redis that has lost its data (a
// restart, a failover, an eviction) starts with an empty bucket; and it lends, for one
// lease, no more slots than each process says it has, so none are lent twice. The same
// holds for slots when Redis comes back after more than a lease, or its clock jumps.
// All times are those of Redis; the clocks of the processes do not matter.
//
// A failover to a replica that lags behind is what neither can see: what was lent in
// that time may be lent again.
package fleet
