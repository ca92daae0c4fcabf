package httpclient

import (
	"math"
	"time"

	"github.com/tidegate-go/tidegate/internal/background"
)

// A foundRate is the rate at which a server that answers 429 answers otherwise.
// It comes into play with the first 429 and is dropped half a minute after the
// last.
//
// First it searches: from a few requests per second it doubles every tenth of a
// second, until there is a 429 or it is as fast as the fastest second was lately.
// Then it is a little less than the rate of the successes, which is what the
// server lets through, and from there it grows by
//
//	1 + t/100 s + (t/4 s)³
//
// so it feels for the edge slowly where it was found, and soon finds out that a
// server can do much more. There is at most one cut in a tenth of a second, since refusals
// come in bunches. When ten in a row are refused, or far fewer requests succeed than the
// rate allows, a window is used up or much has changed. Then it searches again from a
// quarter until one succeeds, and looks the less often the longer that takes: the next time
// after about a third of the time that it has taken so far.
//
// If a refusal comes with a Retry-After it costs that time, so t then begins
// after it and runs slower.
//
// Refusals that have nothing to do with the rate, of one route or one customer, are
// as many of a hundred at half of it: then it is given up.
type foundRate struct {
	rate      float64       // per second, when it was set; 0: none
	set       time.Duration // when
	cut       time.Duration // when a refusal brought it down last
	passed    float64       // what the server let through then, per second
	searching bool
	edge      float64       // where a search ends; 0: at the next refusal
	slower    float64       // how much t runs slower
	row       int           // refusals since the last success
	dry       time.Duration // when the first of them came
	doubling  time.Duration // in which a search doubles the rate
	started   uint64        // pacing.started at that moment
	since     time.Duration // when counting began
	counts    [slots]slot

	background background.Background
}

const (
	slotTime  = 100 * time.Millisecond
	slots     = 10
	leastRate = 0.5 // per second
	firstRate = 10
	cutTo     = 0.98
	maxCut    = 0.7
	forgotten = 30 * time.Second

	// negligible is a share of refusals that does no harm, and at which it would take
	// too long to tell whether it has to do with the rate.
	negligible = 0.002

	// usedUp is how many refusals in a row show that a window is used up. A server that is
	// asked too much, or turns away one customer, seldom makes so many, and then they cost
	// little, since the next success ends the search.
	usedUp = 10

	// longestDoubling bounds how rarely it is looked whether a window has been renewed.
	longestDoubling = 5 * slotTime
)

type slot struct {
	number int64
	background.Tally
}

func (f *foundRate) slot(now time.Duration) *slot {
	n := int64(now / slotTime)
	s := &f.counts[n%slots]
	if s.number != n {
		*s = slot{number: n}
	}
	return s
}

func (f *foundRate) succeeded(now, started time.Duration) {
	f.row = 0
	if f.searching && started > f.cut && f.at(now) > 0 {
		// The window has been renewed, or the bucket has something in it again.
		if f.edge > 0 {
			f.rate, f.set, f.searching = f.edge, now, false
		} else if f.doubling > slotTime {
			f.rate, f.set, f.doubling = f.at(now), now, slotTime
		}
	}
	f.slot(now).Successes++
	f.background.Succeeded(f.at(now))
}

// counted returns what there was in the last n slots.
func (f *foundRate) counted(now time.Duration, n int64) (sum background.Tally) {
	last := int64(now / slotTime)
	for _, s := range f.counts {
		if s.number > last-n && s.number <= last {
			sum.Add(s.Tally)
		}
	}
	return sum
}

// measured returns the successes per second in the last n slots, of which the
// one that has just begun is not counted as whole.
func (f *foundRate) measured(now time.Duration, n int64) float64 {
	within := min(max(now-f.since, slotTime), time.Duration(n-1)*slotTime+now%slotTime)
	return f.counted(now, n).Successes / max(within, slotTime).Seconds()
}

// refused sets the rate, unless the call had started before the rate was set
// last and so says nothing of it.
func (f *foundRate) refused(now time.Duration, started uint64, e evidence) {
	if f.since == 0 {
		f.since = max(now, 1)
	}
	f.slot(now).Refusals++
	if f.row++; f.row == 1 {
		f.dry = now
	}
	second := f.counted(now, slots)
	current, early := f.at(now), f.rate > 0 && e.since <= f.started
	level := current
	if early {
		level = 0 // it was another one
	}
	if f.background.Explains(now, level) || second.Refusals <= negligible*second.Sum() {
		return
	}
	if _, vain := f.background.Vain(now, level, leastRate, slots*slotTime); vain {
		f.rate, f.set = 0, now
		return
	}
	dry := f.row >= usedUp
	switch {
	case dry && !f.searching: // at once: what is sent until the next slot is in vain
	case early, f.rate > 0 && !f.searching && now-f.cut < slotTime:
		return
	}
	measured := f.measured(now, slots)
	below := f.searching && f.edge > 0 && current < f.edge // the last refusal is not yet over
	switch through := !dry && f.measured(now, 2) >= current/2; {
	case current == 0:
		f.rate, f.searching, f.edge = firstRate, true, 0
		f.row, f.dry = 1, now // those before may be long past
	case below:
		f.rate = current / 4
	case through && f.searching:
		// The truth is between what came through in the last second, most of
		// which was slower, and where the search has arrived.
		f.rate, f.searching = cutTo*math.Sqrt(math.Max(measured, 1)*current), false
		f.passed = f.rate
		f.background.Descends(now, f.rate)
	case through:
		f.background.Descends(now, current)
		f.passed = measured
		f.rate, f.searching = math.Min(math.Max(cutTo*measured, maxCut*current), cutTo*current), false
	default:
		if current < firstRate { // it cannot go much further down
			f.background.Descends(now, current)
		}
		f.edge = cutTo * math.Min(measured, current)
		if !f.searching && now-f.set < slots*slotTime {
			// The end of what was cut for just now.
			f.edge = math.Min(f.rate, cutTo*f.passed)
		}
		f.rate, f.searching = math.Min(current/4, f.edge), true
	}
	f.rate, f.doubling = math.Max(f.rate, leastRate), slotTime
	if d := min((now-f.dry)/4, longestDoubling); f.searching && d > slotTime {
		// The longer it has been dry, the less it costs to look a little later.
		f.doubling, f.rate = d, math.Min(f.rate, 1/(4*d.Seconds()))
	}
	f.set, f.cut, f.started = after(now, e.pause), now, started
	f.slower = 1 + 20*e.pause.Seconds()
}

// at returns the rate; 0 is none.
func (f *foundRate) at(now time.Duration) float64 {
	t, rate := max(0, now-f.set).Seconds(), f.rate
	if rate == 0 || t > f.slower*forgotten.Seconds() {
		return 0
	}
	if f.searching {
		found := math.Log2(f.edge/rate) * f.doubling.Seconds() // when the edge is reached
		if !(t > found) || f.edge == 0 {
			return math.Min(rate*math.Exp2(t/f.doubling.Seconds()), 1e9)
		}
		t, rate = t-math.Max(0, found), math.Max(rate, f.edge)
	}
	t /= f.slower
	return rate * (1 + t/100 + t*t*t/64)
}

// interval returns the time between two requests at that rate, or 0.
func (f *foundRate) interval(now time.Duration) time.Duration {
	rate := f.at(now)
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / rate)
}
