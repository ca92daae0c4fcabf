package origin

import (
	"sync"
	"time"
)

// ticket is one request's place in the line.
type ticket struct {
	start, finish time.Time
	done          chan struct{} // closed when the work is over
	dropped       bool          // emptied out by shed; written before done is closed
}

// pool is the queue and the workers, and keeps the counts. Its methods are safe
// for concurrent use. Those that take the time release first what is due by
// then, so no decision depends on how late the timer fires.
type pool struct {
	workers int
	queue   int // 0 is unlimited

	mu       sync.Mutex
	schedule schedule
	line     []*ticket   // worked on and waiting, in order of arrival and of finish
	timer    *time.Timer // fires when the head of the line is due; armed while there is one
	shedding bool
	counts   Stats // without the fields that stats computes
	since    time.Time
}

func newPool(c Config) *pool {
	p := &pool{
		workers:  c.Workers,
		queue:    c.Queue,
		schedule: newSchedule(c.Workers, c.Service),
		since:    time.Now(),
	}
	p.timer = time.AfterFunc(time.Hour, p.tick)
	p.timer.Stop()
	return p
}

// enter puts a request in the line. The caller waits until the ticket is done
// and then calls leave. A nil ticket means that the request was refused, with
// the time until the line as it is now will be empty.
func (p *pool) enter() (*ticket, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// The clock is read under the lock because the schedule needs arrivals in
	// the order of the line: a time read before it could be older than the
	// time of a request that came to the lock first.
	now := time.Now()
	p.release(now)
	p.counts.Started++
	if p.shedding || p.queue > 0 && len(p.line) >= p.workers+p.queue {
		p.counts.Rejected++
		if len(p.line) == 0 {
			return nil, 0
		}
		return nil, p.line[len(p.line)-1].finish.Sub(now)
	}
	t := &ticket{done: make(chan struct{})}
	t.start, t.finish = p.schedule.book(now)
	p.line = append(p.line, t)
	if len(p.line) == 1 {
		p.timer.Reset(t.finish.Sub(now))
	}
	p.counts.MaxInFlight = max(p.counts.MaxInFlight, p.inFlight())
	p.counts.MaxQueued = max(p.counts.MaxQueued, p.queued())
	return t, 0
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

// stats returns all of Stats but Connections.
func (p *pool) stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.release(now)
	s := p.counts
	s.InFlight = p.inFlight()
	s.Queued = p.queued()
	s.Elapsed = now.Sub(p.since)
	// Unfinished work counts as far as it has got; only the first of the line
	// can have started.
	for _, t := range p.line[:min(len(p.line), p.workers)] {
		if now.After(t.start) {
			s.Busy += now.Sub(t.start)
		}
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
		p.timer.Reset(p.line[0].finish.Sub(now))
	}
}

// release ends the work that is due, in the order of the line. mu is held.
func (p *pool) release(now time.Time) {
	for len(p.line) > 0 && !p.line[0].finish.After(now) {
		t := p.line[0]
		p.line[0] = nil // the array lives on behind the slice and would keep the ticket
		p.line = p.line[1:]
		p.counts.Busy += p.schedule.service
		p.counts.MaxLag = max(p.counts.MaxLag, now.Sub(t.finish))
		close(t.done)
	}
}

// inFlight is derived and not counted, so that the sum in the comment on Stats
// cannot fail to add up. It includes requests that are released and have not
// reached leave yet. mu is held.
func (p *pool) inFlight() int64 {
	return p.counts.Started - p.counts.Served - p.counts.ServedLate - p.counts.Rejected
}

// queued is the part of the line that has no worker. mu is held.
func (p *pool) queued() int64 {
	return int64(max(0, len(p.line)-p.workers))
}
