package limiter

import (
	"math"
	"math/rand/v2"
	"time"
)

// A round is the calls of about one and a half latencies: long enough that what
// the last change of the limit did can be seen, and with answers enough to
// tell it from chance. Rounds go by time and count, so that ten calls per
// second and ten thousand are the same algorithm.
type roundSums struct {
	began    time.Duration
	earliest time.Duration // it ends no sooner
	accounts time.Duration // up to when the two areas are counted
	inFlight float64       // ∫ calls awaited dt
	held     float64       // time during which somebody was held back

	successes, refusals, overdues int32

	hints       int32   // successes for which the far side has told how long they waited
	hintedDelay float64 // sum of those waits

	rounds  int32   // since birth
	scatter float32 // by how much ℓ differs from round to round: its variance, of late

	total     float64   // of the latencies of successes
	latencies []float32 // of a sample of them, at most maxSample
	*thinning           // nil as long as all fit into the sample
}

// thinning is how the successes are drawn that take places in a full sample.
type thinning struct {
	keep   int32   // the number of the next one
	chance float64 // see skip
	random rand.PCG
}

// estimate is what the latest rounds have shown.
type estimate struct {
	rate     float64 // X, successes per second
	mean     float64 // latency
	low      float64 // ℓ, see gauge
	lowError float64 // its standard error
	spread   float64 // how alike the answers are, see gauge
	duration float64 // of the round
	share    float64 // of it during which callers were held back
	average  float64 // calls in flight
	maxRate  float64 // the greatest of late

	base       float64 // B, what ℓ is when nothing waits
	baseError  float64
	baseSpread float64 // what spread is then

	queue, queueBefore float64 // Q of this round and of the one before
}

const (
	maxSample  = 512
	leastRound = 0.020
)

// account adds up the time since the last event.
func (a *adaptive) account(now time.Duration) {
	if now == a.accounts {
		return
	}
	if a.stopped {
		a.standStill(now - a.accounts)
	}
	d := seconds(now - a.accounts)
	a.accounts = now
	a.inFlight += d * float64(a.awaiting)
	if a.heldBack {
		a.held += d
	}
}

// standStill has the clock of the round stand still for so long: nothing was in
// flight though callers waited, as in a pause that a Retry-After asks for. What is
// learnt of rates would be too little otherwise, and so would the queue be.
func (a *adaptive) standStill(d time.Duration) {
	a.began += d
	a.earliest += d
	if a.running {
		a.deadline += d
	}
	if a.episodeCount > 0 {
		a.answers.pause += d
	}
}

// answered counts a success.
func (a *adaptive) answered(started time.Duration, latency float64) {
	a.successes++
	a.total += latency
	if a.rounds == 0 {
		a.opened(started, latency)
	}
	if b := a.answers; b != nil {
		b.Succeeded(a.limit)
	}
	if a.limit < a.resumeTo && started >= a.lastCut {
		// Coming back from a collapse: one more for each answer doubles the
		// limit with every latency.
		a.set(a.limit+1, "coming back up to %.0f", a.resumeTo)
	}
	if a.running {
		a.observe(started, latency)
		return
	}
	switch {
	case len(a.latencies) < maxSample:
		a.latencies = append(a.latencies, float32(latency))
		if len(a.latencies) == maxSample {
			if a.thinning == nil {
				a.thinning = &thinning{random: *rand.NewPCG(1, 2)} // any seed will do
			}
			a.chance = 1
			a.skip()
		}
	case a.successes == a.keep:
		a.latencies[a.random.Uint64()%maxSample] = float32(latency)
		a.skip()
	}
}

// hinted counts the time for which the far side says that an answered call has
// waited in its queue.
func (a *adaptive) hinted(delay float64) {
	a.hints++
	a.hintedDelay += delay
}

// skip draws which success is the next to take the place of one in the sample,
// so that in the end each is as likely to be in it as any other: Algorithm L of
// Li, "Reservoir-sampling algorithms of time complexity O(n(1+log(N/n)))", 1994.
// The others cost no random number.
func (a *adaptive) skip() {
	a.chance *= math.Pow(a.uniform(), 1.0/maxSample)
	a.keep = a.successes + 1 + int32(math.Min(math.Log(a.uniform())/math.Log1p(-a.chance), 1e9))
}

// uniform draws a number above 0 and at most 1.
func (a *adaptive) uniform() float64 { return float64(a.random.Uint64()>>11+1) / (1 << 53) }

// over reports whether the round has seen enough. The first rounds need more,
// since everything is compared with the base that they find.
func (a *adaptive) over(now time.Duration) bool {
	if now < a.earliest && !a.quicker(now) {
		return false
	}
	need := int32(24)
	if a.rounds < 2 {
		need = 48
	}
	d := seconds(now - a.began)
	return a.successes >= need ||
		d >= math.Max(1, 6*a.mean) && a.successes+a.refusals+a.overdues >= 6 && !a.early(d) ||
		d >= 1 && a.overdues >= 4
}

// quicker reports whether the answers of this round are so much shorter than those of the
// last that it need not wait as long: one answer that came after ten minutes makes a mean
// by which the next round would last for most of a minute.
func (a *adaptive) quicker(now time.Duration) bool {
	n, d := float64(a.successes), seconds(now-a.began)
	return a.successes >= 48 && d >= leastRound && d*n >= 6*a.total
}

// early reports whether the answers of the first round, after d seconds, are only
// those of the shortest calls. All calls start with it, so the first answers are the
// fastest ones, and a base found from them is too low until an experiment tells: with
// calls of seconds that is a minute.
func (a *adaptive) early(d float64) bool {
	n := float64(a.successes)
	return a.rounds == 0 && n < 2*float64(a.awaiting) && d*n < 6*a.total
}

func (a *adaptive) newRound(now time.Duration) {
	a.roundSums = roundSums{
		began: now, earliest: now + duration(math.Max(1.5*a.mean, leastRound)),
		accounts: now, latencies: a.latencies[:0], thinning: a.thinning, rounds: a.rounds, scatter: a.scatter,
	}
	// Multiples of the golden ratio spread evenly however many there are.
	_, a.dither = math.Modf(a.dither + 0.6180339887)
	a.round()
}

func (a *adaptive) endRound(s State) {
	r := a.roundSums
	a.rounds++
	a.duration = seconds(s.Now - r.began)
	a.share = r.held / a.duration
	a.average = r.inFlight / a.duration
	seen := r.successes >= 6
	if seen {
		a.fresh = true
		a.learn(r, s)
		a.align()
	}
	a.newRound(s.Now)
	a.forgive(r)
	a.lost(s.Now, r)
	if !seen {
		return
	}
	a.control(s)
	a.opening = nil
	if a.next == never && a.felt() {
		a.plan(s)
	}
}

// learn makes the estimates of a round.
func (a *adaptive) learn(r roundSums, s State) {
	a.rate = float64(r.successes) / a.duration
	a.mean = math.Max(r.total/float64(r.successes), tick)
	// What was lost to deadlines is known to be long: it counts in the
	// number of which a quarter is taken, or only the lucky would be seen.
	sample := len(r.latencies)
	long := int(r.overdues)
	if a.rounds == 1 {
		// All calls have started within it, and those under way are longer than most.
		// Not those of which only the place is still held, nor those of another policy.
		long += sample * a.awaiting / int(r.successes)
	}
	before := a.low
	a.low, a.lowError, a.spread = a.gauge(r.latencies, sample+min(long, 2*sample))
	if before > 0 {
		change := math.Min(math.Abs(a.low-before), a.low)
		a.scatter += 0.2 * (float32(sq(change)/2) - a.scatter)
	}
	if a.rounds <= 2 {
		a.baseSpread = math.Min(a.baseSpread, a.spread)
	}
	if math.IsInf(a.base, 1) {
		a.base, a.baseError = a.low, a.lowError
	}
	a.maxRate = math.Max(a.rate, 0.98*a.maxRate)

	sigma := math.Hypot(a.lowError, a.baseError)
	below := a.low < a.base-2*sigma
	switch {
	case a.growing:
		// The least of many short rounds is low by chance: a base found so ends slow
		// start far too soon. See grow for how it is mended there.
	case a.low < a.base-3.5*sigma, below && a.belowBase:
		a.base += 0.5 * (a.low - a.base)
		a.alarm(s)
	case a.share < 0.05 && a.rate < 0.7*a.maxRate:
		// A quiet time, in which nothing waits: ℓ is the base.
		a.base += 0.1 * (a.low - a.base)
	}
	a.belowBase = below
	if a.average < 1.05 && a.low > a.base {
		// One call at a time waits for none of ours, and less than one in flight
		// cannot be tried: without this a base that is too low would be for ever.
		a.base += 0.3 * (a.low - a.base)
	}
	a.queueBefore, a.queue = a.queue, a.rate*math.Max(0, a.low-a.base)
	a.told = 2*r.hints >= r.successes
	if a.told {
		a.queue = a.rate * r.hintedDelay / float64(r.hints)
	}
}
