package limiter

import (
	"math"
	"math/rand/v2"
	"slices"
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

	successes, refusals, overdues int

	total     float64   // of the latencies of successes
	latencies []float32 // of a sample of them, at most maxSample
	*thinning           // nil as long as all fit into the sample
	rounds    int       // since birth
}

// thinning is how the successes are drawn that take places in a full sample.
type thinning struct {
	keep   int     // the number of the next one
	chance float64 // see skip
	random rand.PCG
}

// estimate is what the latest rounds have shown.
type estimate struct {
	rate     float64 // X, successes per second
	mean     float64 // latency
	low      float64 // ℓ, the mean latency of the fastest quarter
	lowError float64 // its standard error
	duration float64 // of the round
	share    float64 // of it during which callers were held back
	average  float64 // calls in flight
	maxRate  float64 // the greatest of late

	base      float64 // B, what ℓ is when nothing waits
	baseError float64

	queue, queueBefore float64 // Q of this round and of the one before
}

const (
	maxSample  = 512
	fastest    = 0.25 // the share of answers that ℓ is the mean of
	leastRound = 0.020
	cut        = 0.5 // share of the excess queue that one round removes
	gain       = 0.5 // the most that one round adds, in units of √limit
)

// account adds up the time since the last event.
func (a *adaptive) account(now time.Duration) {
	if now == a.accounts {
		return
	}
	d := seconds(now - a.accounts)
	a.accounts = now
	a.inFlight += d * float64(a.awaiting)
	if a.heldBack {
		a.held += d
	}
}

// answered counts a success.
func (a *adaptive) answered(started time.Duration, latency float64) {
	a.successes++
	a.total += latency
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

// skip draws which success is the next to take the place of one in the sample,
// so that in the end each is as likely to be in it as any other: Algorithm L of
// Li, "Reservoir-sampling algorithms of time complexity O(n(1+log(N/n)))", 1994.
// The others cost no random number.
func (a *adaptive) skip() {
	a.chance *= math.Pow(a.uniform(), 1.0/maxSample)
	a.keep = a.successes + 1 + int(math.Min(math.Log(a.uniform())/math.Log1p(-a.chance), 1e9))
}

// uniform draws a number above 0 and at most 1.
func (a *adaptive) uniform() float64 { return float64(a.random.Uint64()>>11+1) / (1 << 53) }

// over reports whether the round has seen enough. The first rounds need more,
// since everything is compared with the base that they find.
func (a *adaptive) over(now time.Duration) bool {
	if now < a.earliest {
		return false
	}
	need := 24
	if a.rounds < 2 {
		need = 48
	}
	d := seconds(now - a.began)
	return a.successes >= need ||
		d >= math.Max(1, 6*a.mean) && a.successes+a.refusals+a.overdues >= 6 ||
		d >= 1 && a.overdues >= 4
}

func (a *adaptive) newRound(now time.Duration) {
	a.roundSums = roundSums{
		began: now, earliest: now + duration(math.Max(1.5*a.mean, leastRound)),
		accounts: now, latencies: a.latencies[:0], thinning: a.thinning, rounds: a.rounds,
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
		a.learn(r, s)
	}
	a.newRound(s.Now)
	a.lost(s.Now, r)
	if !seen {
		return
	}
	a.control(s)
	if a.next == never && a.share > 0.2 {
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
	a.low, a.lowError = lowMean(r.latencies, sample+min(r.overdues, 2*sample))
	if math.IsInf(a.base, 1) {
		a.base, a.baseError = a.low, a.lowError
	}
	a.maxRate = math.Max(a.rate, 0.98*a.maxRate)

	sigma := math.Hypot(a.lowError, a.baseError)
	below := a.low < a.base-2*sigma
	switch {
	case a.low < a.base-3.5*sigma, below && a.belowBase:
		a.base += 0.5 * (a.low - a.base)
		a.alarm(s)
	case a.share < 0.05 && a.rate < 0.7*a.maxRate:
		// A quiet time, in which nothing waits: ℓ is the base.
		a.base += 0.1 * (a.low - a.base)
	}
	a.belowBase = below
	a.queueBefore, a.queue = a.queue, a.rate*math.Max(0, a.low-a.base)
}

// target is the queue to aim at. A far side with many places needs a standing
// queue of the order of the root of their number to be busy 98 or 99 % of the
// time. The same root makes the fixed point of several clients of one service
// unique and fair.
func (a *adaptive) target() float64 {
	return math.Max(0.8, a.eagerness*math.Sqrt(a.limit))
}

// control sets the limit after a round.
func (a *adaptive) control(s State) {
	target, queue := a.target(), a.queue
	// What one round shows may be a pause of a garbage collector; what two
	// show is a queue.
	both := math.Min(queue, a.queueBefore)
	if a.limit >= a.resumeTo {
		a.resumeTo = 0
	}
	if queue <= 1.5*target {
		a.goodLimit, a.goodLow, a.goodAgo, a.suspect = a.limit, a.low, 0, false
	} else {
		a.goodAgo++
	}
	switch {
	case !a.suspect && a.goodAgo > 0 && a.goodAgo <= 4 && a.low > 1.75*a.goodLow && queue > 0.25*a.limit:
		a.suspect = true // a jump: a queue, or a longer path?
		a.alarm(s)
	case both > math.Max(2.5*target, 0.3*a.limit):
		a.alarm(s)
	}
	switch {
	case a.growing:
		a.grow(s, queue, target)
	case both > target:
		a.calm = 0
		if a.limit < 0.8*a.limitThen && a.spacing > 1 { // falling: for a good reason?
			a.spacing, a.limitThen = 1, a.limit
			a.plan(s)
		}
		if !a.suspect || a.limit > 0.75*a.goodLimit {
			a.set(a.limit-math.Min(cut*(both-target), 0.3*a.limit), "queue %.1f above %.1f", both, target)
		}
	case queue < target && a.share > 0:
		a.raise(s.Now, queue, target)
	}
}

// raise raises the limit a little, the less the nearer the queue is to its
// target and the less callers were held back.
func (a *adaptive) raise(now time.Duration, queue, target float64) {
	if queue < 0.4*target && a.share > 0.3 {
		a.calm++
	} else {
		a.calm = 0
	}
	step := gain * math.Sqrt(a.limit) * (1 - queue/target)
	if a.creeping {
		step = math.Min(step, a.creep(now))
	} else if a.calm >= 4 { // far from the knee
		a.growing, a.growth = true, 0.25
		a.plateauRate, a.plateauInFlight = 0, 0
	}
	a.set(a.limit+step*math.Min(1, 2*a.share), "queue %.1f below %.1f", queue, target)
}

// lowMean is the mean of the fastest quarter of a sample of n, and its standard
// error. Members of the sample that are missing from xs are known only to be
// long. xs is sorted in place.
func lowMean(xs []float32, n int) (mean, stderr float64) {
	slices.Sort(xs)
	k := min(max(3, int(fastest*float64(n)+0.5)), len(xs))
	sum := 0.0
	for _, x := range xs[:k] {
		sum += float64(x)
	}
	// The error of such a mean is that of the sample cut off at its greatest
	// member: its winsorised variance.
	total, top := float64(n), float64(xs[k-1])
	cutoff := (sum + (total-float64(k))*top) / total
	variance := (total - float64(k)) * sq(top-cutoff)
	for _, x := range xs[:k] {
		variance += sq(float64(x) - cutoff)
	}
	return math.Max(sum/float64(k), tick), math.Max(math.Sqrt(variance)/float64(k), tick/1000)
}

// tick is the least latency, in seconds, that is told from none. Answers can come
// within one tick of a coarse clock; without a floor the weights of estimates
// that are both exactly 0 would be 0/0, and what is not a number stays so.
const tick = 1e-9

// blend weighs two estimates by their variances, as a Kalman filter does, and
// returns the estimate that results and its standard error.
func blend(x, xVariance, y, yVariance float64) (mean, stderr float64) {
	g := xVariance / (xVariance + yVariance)
	return x + g*(y-x), math.Sqrt(g * yVariance)
}

func sq(x float64) float64 { return x * x }
