package limiter

import (
	"math"
	"time"

	"github.com/tidegate-go/tidegate/internal/background"
)

// refusal is what is remembered of calls that the far side has refused.
//
// A refusal (429, 503) is a message about count: the place that came back
// refused is one that the far side does not have. So each takes a sixth of a
// place away, but never more than half of the limit within one latency, and after
// the last one the limit creeps back, twice as fast every four seconds. A
// quota has no queue, so latency alone would run into it again at once. A whole
// place for each refusal would be the best answer to one caller's mistake, but
// refusals come in bunches, whose later ones were sent before the first came back.
//
// Refusals that have nothing to do with count (one customer's, those of one bad host
// behind a proxy) look like those that do until the limit has come down to half and they
// are as many of a hundred as before. Then it goes back to where it was, and they are
// not heeded as long as they become no more than half as many again; see package
// background.
//
// Failure mode: until then, which takes seconds, the limit falls, and so again after three
// minutes, six, and so on; when such refusals end, a server that is full may refuse as
// many for so long; and what refuses more than a fifth of all calls is always taken for
// overload. Report such calls as Failed.
type refusal struct {
	refusedAt    time.Duration // the last one
	refusedLimit float64       // where it left the limit
	episodeAt    time.Duration // the first of those within one latency
	episodeFloor float64
	episodeCount int32    // how many they are, as long as no call has started since
	answers      *answers // nil before the first
}

// answers is what share of refusals there is at any limit, and what they cost.
type answers struct {
	background.Background
	pause time.Duration // that the latest refusals have brought about: nothing was in flight
}

const perRefusal = 1.0 / 6 // places that one refusal takes away

func (a *adaptive) refused(now time.Duration) {
	a.refusals++
	if a.answers == nil {
		a.answers = new(answers)
	}
	if a.answers.Explains(now, a.limit) {
		return
	}
	if top, vain := a.answers.Vain(now, a.limit, a.least, 0); vain {
		a.creeping = false
		a.set(top, "refused as often at %.0f as at %.0f", a.limit, top)
		return
	}
	a.answers.Descends(now, math.Max(a.limit, 2*a.least)) // there is no half of less
	if a.episodeAt == 0 || seconds(now-a.episodeAt) > 1.5*a.mean+0.001 {
		a.episodeAt, a.episodeFloor, a.episodeCount, a.answers.pause = now, a.limit/2, 0, 0
	}
	a.episodeCount++
	a.set(math.Max(a.episodeFloor, a.limit-perRefusal), "refused")
	a.growing, a.calm, a.creeping = false, 0, true
	a.refusedAt, a.refusedLimit = now, a.limit
}

// creep is the most by which the limit may rise in a round after refusals.
func (a *adaptive) creep(now time.Duration) float64 {
	return 0.028 * a.limit * math.Exp2(seconds(now-a.refusedAt)/4) / (1 + 10*seconds(a.answers.pause)) * a.duration
}

// resumed is called with the first call after a time in which nothing was in flight.
// If refusals have brought that about, with a Retry-After, each was dear: it takes a
// whole place, and the limit creeps back the more slowly.
func (a *adaptive) resumed() {
	a.stopped = false
	if a.episodeCount > 0 && a.answers.pause > 0 {
		a.set(math.Max(a.episodeFloor, a.limit-(1-perRefusal)*float64(a.episodeCount)), "refused, and paused")
		a.refusedLimit = a.limit
	}
}

// forgive ends the creeping once the limit is well above where a refusal has left it.
func (a *adaptive) forgive(r roundSums) {
	if a.creeping && r.refusals == 0 && a.limit > 1.5*a.refusedLimit+1 {
		a.creeping = false
	}
}
