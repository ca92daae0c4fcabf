package httpclient

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// pacing is the limiter.Policy of a pacer: it spreads requests over time so that
// the server has no cause to refuse them. It knows what is left of a quota from
// the server's headers, or finds the rate itself from answers of 429.
//
// What it hears comes from outside of the Limiter's lock, so it goes into a box
// that the next question opens.
type pacing struct {
	longest time.Duration // that it holds anybody back

	mu  sync.Mutex
	box []evidence

	started atomic.Uint64 // calls so far; written under the Limiter's lock
	spacing atomic.Int64  // between two calls, in nanoseconds, as of the last question
	settled atomic.Bool   // the rate has been found
	silent  atomic.Int32  // successes in a row that said nothing of a quota
	last    time.Duration // when a call was due last
	closed  time.Duration // nothing starts before
	quotas  []paced
	found   foundRate
}

// evidence is what one response has told.
type evidence struct {
	quotas  []quota
	refused bool          // 429
	pause   time.Duration // Retry-After
	since   uint64        // of started, when its request started
}

// maxBox bounds what waits in the box, should nobody ask for long (requests
// with WithBypass do not): then the newest counts.
const maxBox = 256

// forgetAfter is how many successes in a row that say nothing of a quota show
// that it is not for these requests: many servers limit some routes only, and say
// so only there. It costs little to forget one, since the next answer that speaks
// of it brings it back.
const forgetAfter = 3

// hear puts e in the box.
func (p *pacing) hear(e evidence) {
	if e.quotas != nil {
		p.silent.Store(0)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.box) >= maxBox {
		p.box = p.box[:copy(p.box, p.box[maxBox/2:])]
	}
	p.box = append(p.box, e)
}

// silence hears of a success that said nothing of a quota.
func (p *pacing) silence() {
	if p.silent.Load() < forgetAfter {
		p.silent.Add(1)
	}
}

// open takes in what is in the box.
func (p *pacing) open(now time.Duration) {
	p.mu.Lock()
	box := p.box
	p.box = nil
	p.mu.Unlock()
	for _, e := range box {
		for _, q := range e.quotas {
			p.learn(q, now, e.since)
		}
		p.closed = max(p.closed, after(now, min(e.pause, p.longest)))
		if e.refused {
			p.found.refused(now, p.started.Load(), e)
		}
	}
}

func (p *pacing) Next(s limiter.State) (limit int, wait time.Duration) {
	p.open(s.Now)
	if len(p.quotas) > 0 && p.silent.Load() >= forgetAfter {
		p.quotas = p.quotas[:0]
	}
	shut, interval := p.closed-s.Now, p.found.interval(s.Now)
	for i := range p.quotas {
		q := &p.quotas[i]
		q.renew(s.Now, p.started.Load())
		if q.left < 1 {
			shut = max(shut, min(q.until, after(p.last, min(p.longest, q.patience())))-s.Now)
		}
		interval = max(interval, q.interval(s.Now))
	}
	interval = min(interval, p.longest)
	p.spacing.Store(int64(interval))
	p.settled.Store(p.found.rate > 0 && !p.found.searching)
	if interval > 0 {
		wait := after(p.last, interval) - s.Now
		if p.found.searching {
			wait = min(wait, slotTime) // the rate is greater by then
		}
		shut = max(shut, wait)
	}
	return math.MaxInt, shut
}

// pace returns the requests per second that it allows; 0 is no bound.
func (p *pacing) pace() float64 {
	interval := time.Duration(p.spacing.Load())
	if interval == 0 {
		return 0
	}
	return 1 / interval.Seconds()
}

// credit is how much of the time that nobody has used is not lost: without it
// a request that comes a little late would delay all after it. There is none as
// long as the rate is one that was found, since a server that refuses without
// saying how much it allows may refuse any two requests that come close together,
// as nginx's limit_req does without a burst.
const credit = 10 * time.Millisecond

func (p *pacing) Start(s limiter.State) {
	p.started.Add(1)
	credit := credit
	if p.found.at(s.Now) > 0 {
		credit = 0
	}
	// The start that was due, if it was due within the credit.
	_, wait := p.Next(limiter.State{Now: s.Now - credit})
	p.last = s.Now - credit + min(max(wait, 0), credit)
	for i := range p.quotas {
		p.quotas[i].left--
	}
}

func (p *pacing) Report(s limiter.State, r limiter.Result) {
	if r.Outcome == limiter.Success {
		p.found.succeeded(s.Now, s.Now-r.Latency)
	}
}

// learn takes in what the response to a request says of a quota, which was the
// since-th to start. Requests that started since are taken off: the server had not
// seen them.
func (p *pacing) learn(q quota, now time.Duration, since uint64) {
	unseen := float64(p.started.Load() - since)
	for i := range p.quotas {
		if p.quotas[i].name == q.name {
			p.quotas[i].update(q, now, since, unseen)
			return
		}
	}
	if len(p.quotas) < maxQuotas {
		p.quotas = append(p.quotas, paced{quota: q, until: -1})
		p.quotas[len(p.quotas)-1].update(q, now, since, unseen)
	}
}

// A paced is a quota as it is kept.
type paced struct {
	quota
	until time.Duration // when it is renewed
	span  time.Duration // its window, or the longest that a renewal was ever off
	most  float64       // its limit, or the most that was ever left
	first uint64        // the request, by number, from which on it is the window's
}

// renew makes a quota new whose time has come, though nothing has said so yet.
func (q *paced) renew(now time.Duration, started uint64) {
	if now >= q.until && q.span > 0 {
		q.left, q.until, q.first = q.most, after(now, q.span), started+1
	}
}

// update replaces what is known by what a response says.
func (q *paced) update(new quota, now time.Duration, since uint64, unseen float64) {
	left := new.left - unseen
	renewed := now >= q.until || left > q.left+math.Max(2, q.most/20)
	switch {
	case renewed:
		q.first = since
	case since < q.first:
		return // what is left of the window before says nothing of this one
	}
	until := after(now, new.reset)
	if !renewed {
		// The server rounds, mostly up, so the soonest it ever said is best.
		until = min(until, q.until)
	}
	q.quota, q.left, q.until = new, left, until
	q.most = math.Max(q.most, new.left)
	if new.limit > 0 {
		q.most = new.limit
	}
	q.span = max(q.span, new.reset)
	if new.window > 0 {
		q.span = new.window
	}
}

// patience is how long nothing is sent when nothing is left. Servers round the
// time of renewal up to whole seconds, which is all of a short window, so there a
// request goes out now and then to see: of a quota that others use up it costs a
// twentieth of the answers at most.
func (q *paced) patience() time.Duration {
	if q.window > 0 && q.window <= freeFrom {
		return q.window / 20
	}
	return math.MaxInt64
}

// freeFrom is how far off the renewal of a quota must be for half of it to be
// there for bursts. A quota of the second or so is a rate and is spread evenly.
const freeFrom = 10 * time.Second

// interval returns the time between two requests that the quota is spread with,
// or 0 if it need not be.
func (q *paced) interval(now time.Duration) time.Duration {
	horizon := q.until - now
	if horizon <= 0 || horizon > freeFrom && q.left > q.most/2 {
		return 0
	}
	if q.window > 0 && q.window <= freeFrom && q.limit > 0 {
		return time.Duration(float64(q.window) / q.limit)
	}
	return time.Duration(float64(horizon) / math.Max(q.left, 1))
}

// after is at + d, or as far off as can be.
func after(at, d time.Duration) time.Duration {
	if sum := at + d; d < 0 || sum >= at {
		return sum
	}
	return math.MaxInt64
}
