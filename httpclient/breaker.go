package httpclient

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/internal/chance"
	"github.com/tidegate-go/tidegate/limiter"
)

// steps is how many steps the window of a breaker moves in.
const steps = 10

// What gobreaker is told of an attempt: nil is a success.
var (
	errFailure  = errors.New("httpclient: failure")
	errExcluded = errors.New("httpclient: no evidence")
)

// verdictOf says what an outcome means to a breaker.
func verdictOf(o limiter.Outcome, resp *http.Response) error {
	switch o {
	case limiter.Success:
		return nil
	case limiter.Failed, limiter.Overdue:
		return errFailure
	case limiter.Refused:
		// A host that says "429 Too Many Requests" is well; what it asks for
		// is the limiter's business. One that says 503 is not.
		if resp == nil || resp.StatusCode >= 500 {
			return errFailure
		}
	}
	return errExcluded
}

// A breaker is gobreaker's two-step breaker and what it lacks: a state that can
// be read without its mutex, and changes of state that are told after its
// mutex has been let go. Its callbacks run with the mutex held, so they only
// take notes; announce reads them.
type breaker struct {
	two     *gobreaker.TwoStepCircuitBreaker[struct{}]
	config  Breaker
	state   atomic.Int32 // as of the last call of two; an open breaker may be due for probing
	until   moment       // when an open breaker lets probes through. No sooner than gobreaker thinks
	probing atomic.Bool  // a probe is under way
	noted   atomic.Bool  // there are notes
	refused atomic.Uint64

	mu      sync.Mutex
	notes   []transition
	opened  uint64
	tripped gobreaker.Counts // what opened it

	// Refusals with less than a Window between them are a spell; see settles.
	spell, lastRefusal time.Time
}

// A transition is a change of state.
type transition struct {
	from, to gobreaker.State
	counts   gobreaker.Counts // what made a closed breaker open
	open     time.Duration    // for how long, at least
}

func newBreaker(c Breaker) *breaker {
	b := &breaker{config: c}
	b.two = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  uint32(c.Probes),
		Interval:     c.Window,
		BucketPeriod: c.Window / steps,
		Timeout:      c.OpenFor,
		// gobreaker's Requests counts those on their way and those excluded,
		// which would dilute the ratio.
		ReadyToTrip: func(n gobreaker.Counts) bool {
			judged := float64(n.TotalFailures) + float64(n.TotalSuccesses)
			if judged < float64(c.MinRequests) || float64(n.TotalFailures) < c.FailureRatio*judged {
				return false
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.tripped = n
			return true
		},
		OnStateChange: b.note,
		IsExcluded:    func(err error) bool { return err == errExcluded },
	})
	return b
}

// note is called with gobreaker's mutex held.
func (b *breaker) note(_ string, from, to gobreaker.State) {
	var open time.Duration
	if to == gobreaker.StateOpen {
		open = b.config.OpenFor + chance.Below(b.config.OpenFor/5+1)
		b.until.set(time.Now().Add(open))
	}
	b.state.Store(int32(to))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastRefusal = time.Time{} // the next one begins a spell
	b.notes = append(b.notes, transition{from, to, b.tripped, open})
	if to == gobreaker.StateOpen {
		b.opened++
	}
	b.noted.Store(true)
}

// announce tells the log and those who wait of the changes of state since it was
// called last. It is called after every call of gobreaker that may change the state.
func (h *host) announce() {
	b := h.breaker
	if !b.noted.Load() {
		return
	}
	b.mu.Lock()
	notes := b.notes
	b.notes = nil
	b.noted.Store(false)
	b.mu.Unlock()
	for _, n := range notes {
		if n.to == gobreaker.StateOpen {
			h.keepTo(b.until.get())
			h.flush(h.refusal(gobreaker.ErrOpenState))
		}
		h.changed(n)
	}
}

// refusal makes the error of a request that the breaker does not let through.
func (h *host) refusal(err error) error {
	e := &BreakerError{Host: h.name, State: gobreaker.StateHalfOpen, err: err}
	if err == gobreaker.ErrOpenState {
		e.State = gobreaker.StateOpen
		e.RetryIn = max(0, time.Until(h.breaker.until.get()))
	}
	return e
}

// check returns an error if the breaker is open. It takes no probe's place, so
// it can be asked before a request waits. While the breaker is closed it is
// one atomic load.
func (h *host) check() error {
	b := h.breaker
	if b == nil || b.state.Load() != int32(gobreaker.StateOpen) {
		return nil
	}
	if !time.Now().Before(b.until.get()) {
		s := b.two.State() // may find that it is time to probe
		h.announce()
		if s != gobreaker.StateOpen {
			return nil
		}
	}
	return h.refusal(gobreaker.ErrOpenState)
}

// admit asks the breaker to let a request through. The ticket must be reported.
func (h *host) admit() (ticket, error) {
	b := h.breaker
	if b == nil {
		return ticket{}, nil
	}
	if err := h.check(); err != nil {
		return ticket{}, err // gobreaker knows nothing of what is added to its Timeout
	}
	// One probe after the other: a host that has fewer places than there are probes
	// would refuse some of them, and its breaker would never close.
	halfOpen := b.state.Load() == int32(gobreaker.StateHalfOpen)
	if halfOpen && !b.probing.CompareAndSwap(false, true) {
		return ticket{}, h.refusal(gobreaker.ErrTooManyRequests)
	}
	done, err := b.two.Allow()
	probing := halfOpen && err == nil && b.state.Load() == int32(gobreaker.StateHalfOpen)
	if halfOpen && !probing {
		b.probing.Store(false)
	}
	h.announce()
	if err != nil {
		return ticket{}, h.refusal(err)
	}
	t := ticket{host: h, done: done}
	if probing {
		t.probe = newProbe(h, done)
	}
	return t, nil
}

// settling is the time from the first refusal of a spell in which refusals do not
// open a breaker. A limit that is still being found is above what the host has room
// for: then refusals come at once and answers later, and a host that is well looks ill.
// That is so whenever many requests come for the first time, which may be long after
// the breaker has been made.
const settling = time.Second

// settles hears of a refusal by h and reports whether it may be due to such a limit. Of
// a request that has been alone it is not: there was room for it, if for any.
func (h *host) settles() bool {
	b := h.breaker
	if b == nil || b.state.Load() != int32(gobreaker.StateClosed) {
		return false
	}
	return b.refusedLately(time.Now()) < settling && h.limiter.Stats().InFlight > 1
}

// refusedLately notes a refusal and returns for how long its spell has lasted.
func (b *breaker) refusedLately(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.lastRefusal) >= b.config.Window {
		b.spell = now
	}
	b.lastRefusal = now
	return now.Sub(b.spell)
}

// patience is Breaker.Patience.
func (b *breaker) patience() time.Duration {
	if b == nil {
		return 0
	}
	return b.config.Patience
}

// A ticket is the right to tell the breaker of one attempt, once. The zero
// ticket does nothing. It is for use by one goroutine.
type ticket struct {
	host  *host
	done  func(error)
	probe *probe // if the breaker is half-open
}

// report tells the breaker; only the first report counts.
func (t *ticket) report(verdict error) {
	done := t.done
	if done == nil {
		return
	}
	t.done = nil
	if t.probe != nil {
		t.probe.report(verdict)
		return
	}
	done(verdict)
	t.host.announce()
}

// A probe is the report of a half-open breaker's probe, which somebody else
// may make: gobreaker would wait for ever for a probe that never reports.
type probe struct {
	host  *host
	done  func(error)
	made  atomic.Bool
	timer *time.Timer
}

func newProbe(h *host, done func(error)) *probe {
	p := &probe{host: h, done: done}
	p.timer = time.AfterFunc(h.breaker.config.ProbeTimeout, p.expire)
	return p
}

func (p *probe) expire() { p.tell(errFailure) }

func (p *probe) report(verdict error) {
	p.timer.Stop()
	p.tell(verdict)
}

func (p *probe) tell(verdict error) {
	if p.made.CompareAndSwap(false, true) {
		p.done(verdict)
		p.host.breaker.probing.Store(false)
		p.host.announce()
	}
}
