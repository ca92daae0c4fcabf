package origin

import (
	"sort"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// ticket is one request's place in the line. Each of its times is at least as
// late as that of the request before it; after a change that holds of the answers
// alone until the line has gone that was there before.
type ticket struct {
	arrival, start, finish time.Time     // at the workers
	answer                 time.Time     // when the caller has the answer
	done                   chan struct{} // closed when the answer is there
	dropped                bool          // emptied out by shed; written before done is closed
}

// A refusal says why a request was not let in.
type refusal struct {
	quota bool          // the quota is used up, and not the queue full
	wait  time.Duration // until it may be worth trying again
}

// pool is the queue and the workers, and keeps the counts. Its methods are safe
// for concurrent use. Those that take the time release first what is due by
// then, so no decision depends on how late the timer fires.
type pool struct {
	workers int
	queue   int           // 0 is unlimited
	oneWay  time.Duration // that a request, and an answer, is on its way
	quota   *rate.Limiter // nil is none

	mu       sync.Mutex
	schedule schedule
	line     []*ticket   // on their way, waiting and worked on, in order of arrival and of finish
	timer    *time.Timer // fires when the head of the line is due; armed while there is one
	shedding bool
	counts   Stats // without the fields that stats computes
	since    time.Time
}

func newPool(c Config) *pool {
	p := &pool{
		workers:  c.Workers,
		queue:    c.Queue,
		oneWay:   c.Network / 2,
		schedule: newSchedule(c.Workers, c.Service),
		since:    time.Now(),
	}
	if c.Quota > 0 {
		p.quota = rate.NewLimiter(rate.Limit(c.Quota), c.burst())
	}
	p.timer = time.AfterFunc(time.Hour, p.tick)
	p.timer.Stop()
	return p
}

// enter puts a request in the line. The caller waits until the ticket is done
// and then calls leave. A nil ticket means that the request was refused.
//
// The network is arithmetic like the workers: what is known at once is when the
// request will get to them and when its answer will be back, and the one timer
// waits for the latter.
func (p *pool) enter() (*ticket, refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// The clock is read under the lock because the schedule needs arrivals in
	// the order of the line: a time read before it could be older than the
	// time of a request that came to the lock first.
	now := time.Now()
	p.release(now)
	p.counts.Started++
	arrival := now.Add(p.oneWay)
	if why, refused := p.refuses(arrival); refused {
		p.counts.Rejected++
		return nil, why
	}
	t := &ticket{arrival: arrival, done: make(chan struct{})}
	t.start, t.finish = p.schedule.book(arrival)
	p.join(t)
	if len(p.line) == 1 {
		p.timer.Reset(t.answer.Sub(now))
	}
	p.counts.MaxInFlight = max(p.counts.MaxInFlight, p.inFlight())
	p.counts.MaxQueued = max(p.counts.MaxQueued, p.queued(arrival))
	return t, refusal{}
}

// join puts a booked ticket at the end of the line. Answers keep the order of the
// line, though a change may have made the service or the network shorter. mu is held.
func (p *pool) join(t *ticket) {
	t.answer = t.finish.Add(p.oneWay)
	if n := len(p.line); n > 0 && t.answer.Before(p.line[n-1].answer) {
		t.answer = p.line[n-1].answer
	}
	p.line = append(p.line, t)
}

// refuses decides on a request that gets to the workers at arrival. mu is held.
func (p *pool) refuses(arrival time.Time) (refusal, bool) {
	// Those that the workers have finished by then are no longer in the way.
	gone := p.count(func(t *ticket) bool { return !t.finish.After(arrival) })
	if p.shedding || p.queue > 0 && len(p.line)-gone >= p.workers+p.queue {
		if len(p.line) == 0 {
			return refusal{}, true
		}
		return refusal{wait: p.line[len(p.line)-1].finish.Sub(arrival)}, true
	}
	if p.quota != nil && !p.quota.AllowN(arrival, 1) {
		return refusal{quota: true, wait: time.Duration(float64(time.Second) / float64(p.quota.Limit()))}, true
	}
	return refusal{}, false
}

// count is how many of the line, from its head, have something behind them.
// mu is held.
func (p *pool) count(behind func(*ticket) bool) int {
	return sort.Search(len(p.line), func(i int) bool { return !behind(p.line[i]) })
}

// leave counts a request that enter let in. gone says that its caller had left.
func (p *pool) leave(t *ticket, gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case t.dropped:
		p.counts.Rejected++
	case gone:
		p.counts.ServedLate++
	default:
		p.counts.Served++
	}
}

// shed drops the whole line and refuses new requests until unshed or reset.
func (p *pool) shed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(time.Now())
	p.shedding = true
	for _, t := range p.line {
		t.dropped = true
		close(t.done)
	}
	p.line = nil
	p.schedule.clear()
	p.timer.Stop()
}

// unshed lets requests in again and keeps the counts.
func (p *pool) unshed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shedding = false
}

// reset counts from zero and lets requests in again. The caller has made sure
// that the pool is empty: a leave after reset would be counted in the new
// interval without its Started.
func (p *pool) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shedding = false
	p.counts = Stats{}
	p.since = time.Now()
}

// change goes on with the workers, the service time, the queue, the network and
// the quota of c. What is being worked on ends as it would have, and what waits is
// booked anew. Nobody is sent away who has been let in.
func (p *pool) change(c Config) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.release(now)
	p.workers, p.queue, p.oneWay, p.quota = c.Workers, c.Queue, c.Network/2, nil
	if c.Quota > 0 {
		p.quota = rate.NewLimiter(rate.Limit(c.Quota), c.burst())
	}
	p.schedule = newSchedule(c.Workers, c.Service)
	working := p.count(func(t *ticket) bool { return !t.start.After(now) })
	line := p.line
	p.line = nil
	for i, t := range line {
		if i < working {
			p.schedule.occupy(t.finish)
		} else {
			t.start, t.finish = p.schedule.book(t.arrival)
		}
		p.join(t)
	}
	if len(p.line) > 0 {
		p.timer.Reset(p.line[0].answer.Sub(now))
	}
}

// stats returns all of Stats but Connections.
func (p *pool) stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.release(now)
	s := p.counts
	s.InFlight = p.inFlight()
	s.Queued = p.queued(now)
	s.Elapsed = now.Sub(p.since)
	// Unfinished work counts as far as it has got.
	for _, t := range p.line[:p.count(func(t *ticket) bool { return t.start.Before(now) })] {
		s.Busy += min(now.Sub(t.start), t.finish.Sub(t.start))
	}
	return s
}

// tick is the timer's function. It arms the timer again itself and does not
// leave that to release, because releases by other callers come often and the
// timer, though it then fires for a ticket that has left, loses nothing by it.
func (p *pool) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.release(now)
	if len(p.line) > 0 {
		p.timer.Reset(p.line[0].answer.Sub(now))
	}
}

// release gives the answers that are due, in the order of the line. mu is held.
func (p *pool) release(now time.Time) {
	for len(p.line) > 0 && !p.line[0].answer.After(now) {
		t := p.line[0]
		p.line[0] = nil // the array lives on behind the slice and would keep the ticket
		p.line = p.line[1:]
		p.counts.Busy += t.finish.Sub(t.start)
		p.counts.MaxLag = max(p.counts.MaxLag, now.Sub(t.answer))
		close(t.done)
	}
}

// inFlight is derived and not counted, so that the sum in the comment on Stats
// cannot fail to add up. It includes requests that are released and have not
// reached leave yet. mu is held.
func (p *pool) inFlight() int64 {
	return p.counts.Started - p.counts.Served - p.counts.ServedLate - p.counts.Rejected
}

// queued is how many have arrived by then and have no worker yet. mu is held.
func (p *pool) queued(by time.Time) int64 {
	arrived := p.count(func(t *ticket) bool { return !t.arrival.After(by) })
	started := p.count(func(t *ticket) bool { return !t.start.After(by) })
	return int64(arrived - started)
}
