package fleet

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

const (
	// polls is how many times in a renewal a Limiter with waiting calls asks whether
	// there is more in hand: what the ledger lends can thus lie for a twentieth of it.
	polls = 20

	// smoothing is the part of a new demand in what the ledger is told, so that the
	// shares of others do not follow chance.
	smoothing = 0.3

	// headroom is how much more is asked for than has been needed. What is not used
	// is given back, so it costs nothing but the tokens that lie in hand.
	headroom = 1.5
)

// tokens is a holding of a rate: a number of tokens, which the Limiter's side takes
// from and the lease's side adds to and takes back from. They meet in atomic counters:
// a token that is taken back in the same moment in which it is used leaves a debt of
// one, which the next request pays.
type tokens struct {
	rate, burst float64
	every       time.Duration

	balance atomic.Int64
	started atomic.Uint64
	refused atomic.Uint64
	queued  atomic.Int64 // when a call last started or was refused

	// What follows is the lease's.
	before, refusedBefore uint64
	demand                float64 // calls per second, smoothed
	part                  float64 // calls per second
	members               int
	heard                 reply
	fraction              float64 // of a token, while alone
	advance               float64 // tokens that were not lent
	charged               float64 // of them, told to the ledger
	slow                  bool    // the last answer was late
}

func newTokens(c Config, rate float64, burst int) *tokens {
	return &tokens{
		rate: rate, burst: float64(burst), every: c.Renew, part: c.Fallback,
		heard: reply{share: c.Fallback, overflow: -1},
	}
}

func (t *tokens) Next(s limiter.State) (limit int, wait time.Duration) {
	if t.balance.Load() > 0 {
		return math.MaxInt, 0
	}
	t.queued.Store(int64(s.Queued))
	t.refused.Add(1)
	return math.MaxInt, t.every / polls
}

func (t *tokens) Start(s limiter.State) {
	t.balance.Add(-1)
	t.queued.Store(int64(s.Queued))
	t.started.Add(1)
}

func (t *tokens) Report(limiter.State, limiter.Result) {}

func (t *tokens) request(elapsed time.Duration, leaves bool) request {
	started, refused := t.started.Load(), t.refused.Load()
	needed := float64(started - t.before)
	if refused != t.refusedBefore {
		needed += float64(t.queued.Load()) // otherwise it is not for us that they wait
	}
	t.before, t.refusedBefore = started, refused
	now := t.demand
	if elapsed > 0 {
		now = needed / elapsed.Seconds()
	}
	t.demand += smoothing * (now - t.demand)

	// What it takes until the answer to the next request, if that takes as long as
	// this one has, and one for an idle process's next call.
	horizon := max(t.every, elapsed).Seconds()
	want := 1 + math.Ceil(headroom*horizon*max(now, t.demand))
	want = min(want, 1+t.burst+t.rate*horizon)
	if leaves {
		want = 0
	}
	ask := int64(want) - t.balance.Load()
	if t.slow {
		ask = min(ask, 0) // it goes by its old share, and must not have both
	}
	if ask < 0 {
		t.balance.Add(ask) // given back before the ledger hears of it
	}
	t.charged = math.Floor(t.advance)
	return request{demand: t.demand, ask: ask, spent: int64(t.charged), heard: t.heard}
}

func (t *tokens) lend(r reply) {
	t.late(r)
	t.part, t.members, t.heard, t.slow = r.share, r.members, r, false
	t.fraction = 0
}

// late is about tokens only: they have changed hands.
func (t *tokens) late(r reply) {
	t.balance.Add(max(0, r.lent))
	t.advance -= t.charged
	t.charged, t.slow = 0, true
}

func (t *tokens) alone(elapsed time.Duration) {
	t.fraction += t.part * elapsed.Seconds()
	whole := math.Floor(t.fraction)
	t.fraction -= whole
	// No more in hand than for two renewals, as when the ledger is there.
	room := max(1, math.Ceil(2*t.part*t.every.Seconds())) - float64(t.balance.Load())
	given := max(0, min(whole, room))
	t.balance.Add(int64(given))
	t.advance += given
}

func (t *tokens) equal() {
	if t.members > 0 {
		t.part = min(t.part, t.rate/float64(t.members))
	}
}

func (t *tokens) share() float64 { return t.part }
