// Package background tells refusals that have nothing to do with how much a server is
// asked from those that have. A server may refuse one route, or one customer whose quota
// is used up, with the same 429 or 503 as a client that asks too much; then to ask less
// is in vain, and each refusal would make the client ask less still.
//
// It shows when refusals have brought down to half what is asked, be it a rate or a
// limit: its level. Those of a server that is asked too much have become none by then,
// or, if it can do less than that, are most of all answers. If they are about as many of
// a hundred as before, they are the background: they need not be heeded as long as they
// become no more.
package background

import (
	"math"
	"time"
)

// A Background is the share of refusals that there is at any level, once that is known.
// Its zero value knows of none. It is not safe for concurrent use.
type Background struct {
	share float64       // 0: none is known
	last  time.Duration // when there was a refusal last

	top          float64       // the level at which the present descent began; 0: there is none
	began        time.Duration // when
	upper, lower Tally         // the answers above half of that, and below
}

// A Tally is how answers went.
type Tally struct{ Successes, Refusals float64 }

// Sum returns how many answers there were.
func (t Tally) Sum() float64 { return t.Successes + t.Refusals }

// Add adds u to t.
func (t *Tally) Add(u Tally) {
	t.Successes += u.Successes
	t.Refusals += u.Refusals
}

func (t Tally) share() float64 { return t.Refusals / max(t.Sum(), 1) }

const (
	mostBackground  = 0.2 // more than that is a server that is asked too much
	enoughRefusals  = 5   // to tell a share by
	longestDescent  = 2 * time.Minute
	rememberedShare = time.Minute
)

// region returns the tally for answers that come at a level, nil if there is no descent.
func (b *Background) region(level float64) *Tally {
	switch {
	case b.top == 0:
		return nil
	case level > b.top/2:
		return &b.upper
	default:
		return &b.lower
	}
}

// Succeeded counts a success.
func (b *Background) Succeeded(level float64) {
	if r := b.region(level); r != nil {
		r.Successes++
	}
}

// Descends is called when refusals bring down a level.
func (b *Background) Descends(now time.Duration, level float64) {
	if level >= b.top || now-b.began > longestDescent {
		b.top, b.began, b.upper, b.lower = level, now, Tally{}, Tally{}
	}
}

// Explains reports whether the refusals of the last second or so, the latest of them
// now, are no more than the background and chance account for.
func (b *Background) Explains(now time.Duration, t Tally) bool {
	if now-b.last > rememberedShare {
		b.share = 0
	}
	b.last = now
	usual := b.share * t.Sum()
	return b.share > 0 && t.Refusals <= 2*usual+3*math.Sqrt(usual)+1
}

// Vain counts a refusal. If going down has turned out to be in vain it returns the level
// at which it began.
func (b *Background) Vain(level float64) (top float64, vain bool) {
	r := b.region(level)
	if r == nil {
		return 0, false
	}
	r.Refusals++
	upper, lower := b.upper.share(), b.lower.share()
	if min(b.upper.Refusals, b.lower.Refusals) < enoughRefusals || max(upper, lower) > mostBackground ||
		lower < upper/2 || lower > 2*upper {
		return 0, false
	}
	top, b.top, b.share = b.top, 0, max(upper, lower)
	return top, true
}
