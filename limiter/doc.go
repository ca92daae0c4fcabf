// Package limiter answers, for anything that a program calls, the question
// "how many calls should run at once?", and keeps the answer right while the
// thing that is called changes.
//
// # Three nouns, two verbs
//
// A [Limiter] is the engine: it admits calls, holds back those that may not
// start yet, and counts everything. A [Policy] is the rule that it obeys: a
// small state machine that says how many calls may be in flight and how soon
// the next may start. A [Permit] is the right to run one call, with a verb for
// each of the two moments that matter: [Permit.Report] when the answer arrives
// says how it went, [Permit.Release] when the call is over gives back its
// place. (For an HTTP request these are the head of the response and the end
// of its body. Giving back the place at the head lets twenty downloads run
// through a limit of two.)
//
//	l := limiter.New(limiter.Fixed(8)) // one for each thing that can be overloaded
//
//	p, err := l.Acquire(ctx)
//	if err != nil {
//		return err // not started; errors.Is(err, limiter.ErrRejected)
//	}
//	defer p.Release()
//	answer, err := call(ctx)
//	p.Report(limiter.OutcomeOf(err))
//
// [Do] is these lines in one. [ForEach] and [Map] do the same for every value
// of a sequence, however long, in bounded memory. Package httpclient in this
// module does it for HTTP.
//
// # Which policy
//
//	Fixed(n)      you know how many places the far side has (connection slots, workers)
//	Adaptive      you do not, or the number changes
//	Rate(r, b)    the far side counts calls per second (a quota), not calls at once
//	All(p, q)     both: Rate does not bound calls in flight when they get slow
//	Batch(n)      the far side wants to be left in peace between batches; else Fixed
//	AIMD, Vegas, Gradient2, Gradient   what Netflix and Envoy do, for comparison
//	Unlimited     for measuring what happens without
//
// docs/choosing-limits.md has the long answer, with numbers.
//
// # What is guaranteed
//
// Calls that wait start by priority ([WithPriority]) and then in the order of
// arrival; TryAcquire never overtakes them. A call that gives up hands its
// place on and spends nothing: a token of a Rate is taken when a call starts.
// Composed policies decide as one, so nothing is held from one while another
// is waited for. In flight is never above the limit that was in force when a
// call was admitted. Every call is counted as admitted or rejected, and every
// admitted call by one outcome; [Stats] says how the sums go.
//
// Report and Release act once, whoever calls them however often; a permit that
// is lost is found by the garbage collector. A Limiter starts no goroutine (but
// for an observer that is slower than the load, see [Observe]), needs no closing,
// and allocates nothing per call once it has seen its peak.
//
// # Writing a policy
//
// A [Policy] gets the time handed in and is never called twice at once, so it
// is a struct with three methods and no lock. See the example of Policy.
package limiter
