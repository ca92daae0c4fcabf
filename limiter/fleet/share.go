package fleet

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/internal/trusted"
	"github.com/tidegate-go/tidegate/limiter"
)

// A Share is what one process has of a limit that a fleet has in common. It is the
// [limiter.Policy] of one Limiter of the process, alone or within [limiter.All];
// requests for the share go on in the background from NewRate or NewSlots until
// Close, whether or not Redis answers. Next, Start and Report are the Limiter's to
// call; Stats and Close may be called at any time by anybody.
//
// It is not a pure policy: what Next says changes with what Redis says, so a recorded
// history does not play again. Waiting calls ask twenty times in a Renew.
type Share struct {
	holding holding
	ledger  ledger
	config  Config

	stop     context.CancelFunc
	ended    chan struct{}
	farewell error // once ended is closed

	mu    sync.Mutex
	stats Stats
}

// Stats is what a Share has seen and has.
type Stats struct {
	// Share is the process's part of the limit: calls per second, or slots.
	Share float64

	// Members is the number of processes that there were at the last contact.
	Members int

	// Connected says whether the last renewal got an answer.
	Connected bool

	// Contact is when Redis last answered; zero if it never has.
	Contact time.Time

	// Renewals counts the requests to Redis, and Failures those of them that got no
	// answer in time.
	Renewals, Failures uint64
}

// A holding is what a Share has in hand. The Limiter sees it as its Policy; the lease
// fills it, from a goroutine of its own.
type holding interface {
	limiter.Policy

	// request is called at a renewal, with the time since the last one. A process
	// that leaves gives back all it has in hand.
	request(elapsed time.Duration, leaves bool) request

	// lend brings what the ledger said.
	lend(reply)

	// late is called instead of lend with an answer that has come after more than a
	// lease.
	late(reply)

	// alone is called instead for as long as the ledger is away, with the time since
	// the last call of lend or alone.
	alone(elapsed time.Duration)

	// equal makes the share the limit's equal part, since the ledger is away for long.
	equal()

	// share is what Stats shows.
	share() float64
}

// NewRate returns a share of perSecond calls per second, of which burst may start at
// once after a pause of the whole fleet. What processes have in hand at any moment,
// the calls of one renewal and at least one call each, comes on top of the burst;
// over time the fleet never starts more than perSecond. The burst must be at least what
// comes in one Renew, perSecond × Renew: with less the bucket would overflow between the
// renewals.
//
// Until Redis has answered for the first time no call starts, but after two Renew at
// most, when the process begins to work with its Fallback.
//
// All processes should say the same perSecond and burst; while a new value is rolled
// out each renewal counts with its own. The errors are [*ConfigError].
func NewRate(c Config, perSecond float64, burst int) (*Share, error) {
	if err := checkRate(perSecond, burst); err != nil {
		return nil, err
	}
	c, err := c.filled(perSecond, 0)
	if err != nil {
		return nil, err
	}
	if least := math.Ceil(perSecond * c.Renew.Seconds()); float64(burst) < least {
		return nil, &ConfigError{"burst", burst, fmt.Sprintf("at least %v, what comes in one Renew (%v); or a shorter Renew, or NewStrictRate", least, c.Renew)}
	}
	return begin(c, newTokens(c, perSecond, burst), &redisRate{
		redis: c.Redis, keys: keysOf(c.Key, "rate"), id: c.ID,
		rate: perSecond, burst: burst, lease: c.Lease, every: c.Renew,
	}), nil
}

// NewSlots returns a share of n calls at once. With fewer slots than processes that
// want them, the slots go round among the processes from lease to lease; a [Strict]
// serves them better. Until Redis has answered for the first time no call starts, but
// after two Renew at most. The errors are [*ConfigError].
func NewSlots(c Config, n int) (*Share, error) {
	if n < 1 {
		return nil, &ConfigError{"n", n, "at least 1"}
	}
	c, err := c.filled(float64(n), 1)
	if err != nil {
		return nil, err
	}
	return begin(c, newSlots(c, n), &redisSlots{
		redis: c.Redis, keys: keysOf(c.Key, "slots"), id: c.ID,
		slots: n, lease: c.Lease, every: c.Renew,
	}), nil
}

func begin(c Config, h holding, l ledger) *Share {
	ctx, stop := context.WithCancel(context.Background())
	s := &Share{holding: h, ledger: l, config: c, stop: stop, ended: make(chan struct{})}
	go s.run(ctx)
	return s
}

// Next implements [limiter.Policy].
func (s *Share) Next(at limiter.State) (limit int, wait time.Duration) { return s.holding.Next(at) }

// Start implements [limiter.Policy].
func (s *Share) Start(at limiter.State) { s.holding.Start(at) }

// Report implements [limiter.Policy].
func (s *Share) Report(at limiter.State, r limiter.Result) { s.holding.Report(at, r) }

// Clockless implements [limiter.Clockless]: time passes for the lease and not for calls.
func (s *Share) Clockless() {}

// Trusted tells package limiter that s is of this project and does not panic.
func (s *Share) Trusted(trusted.Mark) {}

// Reason implements [limiter.Reasoner].
func (s *Share) Reason() string {
	now := s.Stats()
	switch {
	case now.Connected:
		return "share among " + strconv.Itoa(now.Members)
	case now.Contact.IsZero():
		return "fallback share, without Redis"
	default:
		return "share, without Redis"
	}
}

// Stats returns what the Share has and has seen.
func (s *Share) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Close gives the share back and ends the requests to Redis. It waits for Redis no
// longer than Lease. The Limiter admits no more calls once what was in hand is used,
// so Close comes after the last call. The error is that of giving back, in which case
// the share goes to the others when its lease is over. Further calls return the same.
func (s *Share) Close() error {
	s.stop()
	<-s.ended
	return s.farewell
}
