package fleet

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"go.uber.org/zap"
)

// A lease is the running side of a Share: it asks the ledger at every tick that finds
// no request under way, and feeds the holding by itself while there is no answer.
type lease struct {
	*Share
	replies chan renewal

	asking  bool
	failed  bool      // the last request
	asked   time.Time // when the last request was sent
	fed     time.Time // when the holding last got something
	contact time.Time // when the ledger last answered, or when all began
}

// A renewal is how a request went.
type renewal struct {
	reply
	err error
}

// errSlow is the failure of a request that the ledger has not answered within a lease.
var errSlow = errors.New("fleet: Redis has not answered within a lease")

func (s *Share) run(ctx context.Context) {
	defer close(s.ended)
	now := time.Now()
	l := lease{Share: s, replies: make(chan renewal, 1), asked: now, fed: now, contact: now}
	// Processes that were started together must not come together ever after: the
	// bucket could not hold what they have left in between.
	tick := time.NewTimer(s.config.Renew + phase(s.config.ID, s.config.Renew))
	defer tick.Stop()
	for l.ask(false); ; {
		select {
		case r := <-l.replies:
			l.answered(r, time.Now())
		case <-tick.C:
			tick.Reset(s.config.Renew)
			l.tick(time.Now())
		case <-ctx.Done():
			s.farewell = l.leave()
			l.holding.lend(reply{}) // if Redis has not heard of it the others have it after a lease
			l.show(nil)
			return
		}
	}
}

// phase is a time below every that is different for each process.
func phase(id string, every time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(id))
	return time.Duration(h.Sum64() % uint64(every))
}

// ask sends a request. The answer is waited for elsewhere, since it may never come.
func (l *lease) ask(leaves bool) {
	now := time.Now()
	r := l.holding.request(now.Sub(l.asked), leaves)
	r.leaves = leaves
	l.asking, l.asked = true, now
	// A client may ignore the context's end (go-redis does unless it is told), and
	// then gives up by its own time-outs.
	ctx, cancel := context.WithTimeout(context.Background(), l.config.Lease)
	replies, ledger := l.replies, l.ledger
	go func() {
		defer cancel()
		reply, err := ledger.renew(ctx, r)
		replies <- renewal{reply, err} // has room, since only one is under way
	}()
}

// tick is a moment to renew. A holding whose renewal is late is fed as if it had
// been cut off, and if the answer comes after all what it was fed is made good.
func (l *lease) tick(now time.Time) {
	if l.failed || now.Sub(l.fed) >= 2*l.config.Renew {
		if now.Sub(l.contact) > l.config.Hold {
			l.holding.equal()
		}
		l.holding.alone(now.Sub(l.fed))
		l.fed = now
		l.show(nil)
	}
	if !l.asking {
		l.ask(false)
	}
}

func (l *lease) answered(r renewal, now time.Time) {
	if r.err == nil && now.Sub(l.asked) > l.config.Lease {
		// The others have taken this process for dead meanwhile, and this one may take
		// them for dead: what the answer says of shares is not so.
		l.holding.late(r.reply)
		r.err = errSlow
	}
	l.asking, l.failed = false, r.err != nil
	if r.err == nil {
		l.holding.lend(r.reply)
		l.fed, l.contact = now, now
	}
	l.show(&r)
}

// leave gives back what is in hand.
func (l *lease) leave() error {
	over := time.NewTimer(l.config.Lease)
	defer over.Stop()
	for leaving := false; ; leaving = true {
		if !l.asking {
			l.ask(true)
			leaving = true
		}
		select {
		case r := <-l.replies:
			l.answered(r, time.Now())
			if leaving || r.err != nil {
				return r.err
			}
		case <-over.C:
			return errSlow
		}
	}
}

// show lets Stats see what is now, and tells the log of what has changed.
func (l *lease) show(r *renewal) {
	l.mu.Lock()
	s := &l.stats
	s.Share = l.holding.share()
	was, ever := s.Connected, !s.Contact.IsZero() || s.Failures > 0
	if r != nil {
		s.Renewals++
		s.Connected = r.err == nil
		if r.err != nil {
			s.Failures++
		} else {
			s.Members, s.Contact = r.members, l.contact
		}
	}
	is := s.Connected
	l.mu.Unlock()
	switch {
	case r == nil:
	case !is && (was || !ever):
		l.config.Logger.Warn("Redis cannot be asked: the process goes on with the share it has", zap.String("key", l.config.Key), zap.Error(r.err))
	case is && !was && ever:
		l.config.Logger.Info("Redis is back", zap.String("key", l.config.Key), zap.Int("members", r.members))
	}
}
