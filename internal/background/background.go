// Package background tells refusals that have nothing to do with how much a server is
// asked from those that have. A server may refuse one route, or one customer whose quota
// is used up, with the same 429 or 503 as a client that asks too much; then to ask less
// is in vain, and each refusal would make the client ask less still.
//
// It shows when refusals have brought down to half what is asked, be it a rate or a
// limit: its level. Those of a server that is asked too much have become none by then,
// or, if it can do less than that, are most of all answers. If they are about as many of
// a hundred as before, they are the background: as many need not be heeded. If there is
// both, more are refused above than below, and each half is compared with the next.
//
// What is known ages: a server that is asked too much while refusals are not heeded would
// look as before when the background is gone. So it is found out anew after three minutes
// or more, and then after twice as long each time.
package background

import "time"

// A Background is the share of refusals that there is at any level, once that is known.
// Its zero value knows of none. It is not safe for concurrent use.
type Background struct {
	share   float64       // 0: none is known
	excess  float64       // refusals lately that the share does not account for
	last    time.Duration // when there was a refusal last
	until   time.Duration // when the share is to be found out anew
	trusted time.Duration // for how long it was trusted last

	top          float64       // the level at which the present descent began; 0: there is none
	began        time.Duration // when
	upper, lower Tally         // the answers above half of that, and below
	crossed      time.Duration // when the first refusal below came
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
	rememberedShare = time.Minute     // after the last refusal
	firstTrust      = 3 * time.Minute // finding out costs some seconds of some of the goodput
	longestTrust    = 24 * time.Minute

	// What is accounted for is half as much again as the share, since that is not known
	// well, and mostExcess more, since that may be chance. Then each refusal is heeded until
	// there have been fewer: a bound on what there was in a second would have to allow for
	// chance every second, and so let most of few calls be refused for ever.
	margin     = 1.5
	mostExcess = 8
)

// region returns the tally for answers that come at a level, nil if there is none.
func (b *Background) region(level float64) *Tally {
	switch {
	case b.top == 0 || level == 0:
		return nil
	case level > b.top/2:
		return &b.upper
	default:
		return &b.lower
	}
}

// Succeeded counts a success at a level, 0 if it is unknown.
func (b *Background) Succeeded(level float64) {
	b.excess = max(0, b.excess-margin*b.share)
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

// Explains counts a refusal at a level, 0 if it is unknown, and reports whether the
// background and chance account for it.
func (b *Background) Explains(now time.Duration, level float64) bool {
	if r := b.region(level); r != nil {
		if r == &b.lower && r.Refusals == 0 {
			b.crossed = now
		}
		r.Refusals++
	}
	if now-b.last > rememberedShare {
		b.share, b.trusted = 0, 0
	}
	if now > b.until {
		b.share = 0
	}
	b.last = now
	b.excess = min(b.excess+1-margin*b.share, mostExcess+1)
	return b.share > 0 && b.excess <= mostExcess
}

// Vain is asked after a refusal that is heeded. If going down has turned out to be in vain
// it returns the level at which it began. Where there is no lower level any refusals are
// in vain that are not most. It is not judged before settling has passed since the first
// refusal below: where a level falls far in little time the server is still asked too much
// at half of it, and may refuse as many.
func (b *Background) Vain(now time.Duration, level, least float64, settling time.Duration) (top float64, vain bool) {
	if level == 0 || level > b.top/2 || b.lower.Refusals < enoughRefusals || now-b.crossed < settling {
		return 0, false
	}
	upper, lower := b.upper.share(), b.lower.share()
	alike := b.upper.Refusals >= enoughRefusals && upper/2 <= lower && lower <= 2*upper
	if lower > mostBackground || !alike && level > least {
		if level <= b.top/4 {
			b.top, b.upper, b.lower = b.top/2, b.lower, Tally{}
		}
		return 0, false
	}
	top, b.top, b.share, b.excess = b.top, 0, lower, 0
	b.trusted = min(max(firstTrust, 2*b.trusted, 20*(now-b.began)), longestTrust)
	b.until = now + b.trusted
	return top, true
}
