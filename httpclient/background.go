package httpclient

import (
	"math"
	"time"
)

// A background is the share of refusals that there is at any rate. A server may refuse
// one route, or one customer whose quota is used up, with the same 429 as a client that
// is too fast; then to go slower is in vain, and each refusal would make it slower still.
//
// It shows when refusals have brought the rate down to half. Those of a server that is
// asked too much have become none by then, or, if it can do less than that, are most of
// all answers. If they are about as many of a hundred as before, they are the background:
// the rate is given up, and they are not heeded as long as they become no more.
type background struct {
	share float64       // 0: none is known
	last  time.Duration // when there was a refusal last

	top          float64       // the rate at which the present descent began; 0: there is none
	began        time.Duration // when
	upper, lower tally         // the answers above half of that, and below
}

// A tally is how answers went.
type tally struct{ successes, refusals float64 }

func (t tally) sum() float64   { return t.successes + t.refusals }
func (t tally) share() float64 { return t.refusals / max(t.sum(), 1) }

const (
	negligible      = 0.002 // a share that does no harm, and at which to learn more would take too long
	mostBackground  = 0.2   // more than that is a server that is asked too much
	enoughRefusals  = 5     // to tell a share by
	longestDescent  = 2 * time.Minute
	rememberedShare = time.Minute
)

// region returns the tally for answers that come at a rate, nil if there is no descent.
func (b *background) region(rate float64) *tally {
	switch {
	case b.top == 0:
		return nil
	case rate > b.top/2:
		return &b.upper
	default:
		return &b.lower
	}
}

// descends is called when refusals bring down a rate.
func (b *background) descends(now time.Duration, rate float64) {
	if rate >= b.top || now-b.began > longestDescent {
		b.top, b.began, b.upper, b.lower = rate, now, tally{}, tally{}
	}
}

// explains reports whether the refusals of the last second, the latest of them
// now, are no more than the background and chance account for.
func (b *background) explains(now time.Duration, t tally) bool {
	if now-b.last > rememberedShare {
		b.share = 0
	}
	b.last = now
	n := t.sum()
	usual := b.share * n
	return t.refusals <= negligible*n || b.share > 0 && t.refusals <= 2*usual+3*math.Sqrt(usual)+1
}

// vain counts a refusal and reports whether going slower has turned out to be in vain.
func (b *background) vain(rate float64) bool {
	r := b.region(rate)
	if r == nil {
		return false
	}
	r.refusals++
	upper, lower := b.upper.share(), b.lower.share()
	if min(b.upper.refusals, b.lower.refusals) < enoughRefusals || max(upper, lower) > mostBackground ||
		lower < upper/2 || lower > 2*upper {
		return false
	}
	b.share, b.top = max(upper, lower), 0
	return true
}
