package experiment

import (
	"fmt"
	"math"
	"time"
)

// A Prediction says before a run how many of its tasks will end badly, and in
// which way. It comes from what is known about the far side, never from runs.
type Prediction struct {
	Text    string `json:"text"`
	Of      string `json:"of"`       // which count it is about
	AtLeast int    `json:"at_least"` // how many there will be; Text states the same bounds
	AtMost  int    `json:"at_most"`
	Open    bool   `json:"open"` // nothing definite can be said; the bounds are 0 and n
}

// Held reports whether c is as p said.
func (p Prediction) Held(c Counts) bool {
	n := p.Observed(c)
	return p.AtLeast <= n && n <= p.AtMost
}

// Observed is the number that p is about.
func (p Prediction) Observed(c Counts) int {
	if p.Of == ofRefusals {
		return c.Refused
	}
	return c.TimedOut
}

const (
	ofTimeouts = "timed_out"
	ofRefusals = "refused"
)

// edge is how near to the threshold, relative to it, the law says nothing: the
// time that opening a thousand connections takes, and what is served during
// that time, are not in it.
const edge = 0.1

// margin is how far the number of time-outs may be from the estimate, relative
// to the number of calls. Making the calls takes time for each, during which
// the origin serves, so there are fewer; a busy machine keeps the origin from
// its capacity, so there are more. The estimate of 200 of 1,000 came out as 121
// to 269 on quiet and on busy machines.
const margin = 0.1

// inFlight is the most calls at once that p lets there be, if that follows from
// p: n calls, each of which takes the far side the time service, of which it
// can end capacity per second. It reports false if p finds its limit itself.
func (p Policy) inFlight(n int, capacity float64, service time.Duration) (int, bool) {
	switch {
	case p.Searches:
		return 0, false
	case p.Size > 0:
		return min(n, p.Size), true
	case p.Limit > 0:
		return min(n, p.Limit), true
	case p.Rate > capacity:
		// What comes faster than it is served piles up until the last has come.
		piled := float64(n)*(1-capacity/p.Rate) + float64(p.Burst)
		return min(n, int(math.Ceil(piled))), true
	case p.Rate > 0:
		// Little's law: in flight = rate × time.
		return min(n, int(math.Ceil(p.Rate*service.Seconds()))+p.Burst), true
	default:
		return n, true
	}
}

// predictTimeouts applies the law: the last of x calls that are in flight at
// once is answered after x / capacity, so time-outs begin when
//
//	in flight > capacity × timeout
func predictTimeouts(p Policy, n int, capacity float64, service, timeout time.Duration) Prediction {
	threshold := capacity * timeout.Seconds()
	x, known := p.inFlight(n, capacity, service)
	surplus := float64(x) - threshold
	q := Prediction{Of: ofTimeouts, AtMost: n}
	switch {
	case !known:
		q.AtMost = 0
		q.Text = fmt.Sprintf("none, if it finds a limit below %.0f", threshold)
	case math.Abs(surplus) < edge*threshold:
		q.Open = true
		q.Text = fmt.Sprintf("%d in flight, too near to %.0f to say", x, threshold)
	case surplus < 0:
		q.AtMost = 0
		q.Text = fmt.Sprintf("none: %d in flight ≤ %.0f", x, threshold)
	case p.Size > 0 || p.Limit == 0 && p.Rate == 0:
		about := timeouts(n, x, threshold)
		q.AtLeast = max(1, int(math.Floor(about-margin*float64(n))))
		q.AtMost = min(n, int(math.Ceil(about+margin*float64(n))))
		q.Text = fmt.Sprintf("about %.0f (%d to %d): %d in flight > %.0f", about, q.AtLeast, q.AtMost, x, threshold)
	default:
		q.AtLeast = 1
		q.Text = fmt.Sprintf("some: %d in flight > %.0f", x, threshold)
	}
	return q
}

// predictWithQueue is the law for an origin that has so many places and no more:
// what it refuses does not wait.
func predictWithQueue(places, n int, capacity float64, timeout time.Duration) Prediction {
	threshold := capacity * timeout.Seconds()
	if float64(places) < (1-edge)*threshold {
		return Prediction{Of: ofTimeouts, Text: fmt.Sprintf("none: the origin lets %d be in flight ≤ %.0f and refuses the rest", places, threshold)}
	}
	return Prediction{Of: ofTimeouts, AtMost: n, Open: true, Text: fmt.Sprintf("open: %d places at the origin, time-outs from %.0f in flight", places, threshold)}
}

// timeouts estimates how many of n calls in batches of size time out, if the
// origin answers threshold calls within one timeout. It works on for callers
// that have given up, so a batch finds in its queue what the one before has
// left, and waits for that too.
func timeouts(n, size int, threshold float64) (sum float64) {
	left := 0.0
	for first := 0; first < n; first += size {
		calls := float64(min(size, n-first))
		late := min(calls, max(0, left+calls-threshold))
		sum += late
		if left += calls - threshold; late == 0 {
			left = 0 // all were answered, and those before them were served first
		}
	}
	return sum
}

// predictRefusals applies the other law: of x connections that are asked for
// at once, slots are given and x - slots are refused. It holds exactly when
// all ask at once; a slot that is given back is free only some time after the
// client has closed the connection, which makes every other case a lower bound.
func predictRefusals(p Policy, n, slots int, hold time.Duration) Prediction {
	if p.Name == Pool && p.Limit <= slots {
		return Prediction{Of: ofRefusals, Text: fmt.Sprintf("none: %d connections ≤ %d slots, and none is reopened", p.Limit, slots)}
	}
	capacity := math.Inf(1)
	if hold > 0 {
		capacity = float64(slots) / hold.Seconds()
	}
	x, known := p.inFlight(n, capacity, hold)
	q := Prediction{Of: ofRefusals, AtMost: n}
	unlimited := p.Size == 0 && p.Limit == 0 && p.Rate == 0
	switch {
	case !known:
		q.Open = true
		q.Text = fmt.Sprintf("open: refusals above %d tell it where to stop", slots)
	case unlimited && n > slots:
		q.AtLeast, q.AtMost = n-slots, n-slots
		q.Text = fmt.Sprintf("exactly %d: %d at once, %d slots", n-slots, n, slots)
	case p.Size > slots && x > slots:
		for first := 0; first < n; first += p.Size {
			q.AtLeast += max(0, min(p.Size, n-first)-slots)
		}
		q.Text = fmt.Sprintf("at least %d: batches of %d, %d slots", q.AtLeast, x, slots)
	case x > slots:
		q.AtLeast = 1
		q.Text = fmt.Sprintf("some: %d at once, %d slots", x, slots)
	case !unlimited && float64(x) > (1-edge)*float64(slots) && n > slots:
		q.Open = true
		q.Text = fmt.Sprintf("%d at once, too near to %d slots: those given back are not free at once", x, slots)
	case p.Rate > 0 && float64(x) > float64(slots)/2:
		q.Open = true
		q.Text = fmt.Sprintf("about %d at once, and more if the server opens connections slowly", x)
	default:
		q.AtMost = 0
		q.Text = fmt.Sprintf("none: %d at once ≤ %d slots", x, slots)
	}
	return q
}
