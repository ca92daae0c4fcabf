package simulation

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// A run is callers, a Transport and hosts.
type run struct {
	t              *testing.T
	seed           uint64
	lasts          time.Duration
	slack          time.Duration // by which timers may be late
	blur           time.Duration // by which what is seen from outside may be late
	pause          time.Duration // mean, between the calls of a caller
	timeout        time.Duration
	attemptTimeout time.Duration
	maxWait        time.Duration
	maxHold        time.Duration
	retry          httpclient.Retry
	began          time.Time
	transport      *httpclient.Transport
	random         *rand.Rand // for what is not a caller's
	callers        []*caller
	global         *limiter.Limiter
	watches        map[string]*watch // by the name of the host
	hosts          map[string]*host

	begun atomic.Int64 // calls

	mu       sync.Mutex
	history  uint64 // a digest of it
	problems []string
}

func (r *run) now() time.Duration { return time.Since(r.began) }

// alone returns a time of about d at the end of which nothing else from outside is
// likely to happen: moments of their own make the order of things follow from the seed.
func (r *run) alone(dice *rand.Rand, d time.Duration) time.Duration {
	return max(d, 0) + time.Duration(1+dice.IntN(1_000_000))
}

// odd is about d. A second after a call has come is when a quota of a second is renewed,
// too; it would be chance which of the two is first.
func odd(d time.Duration) time.Duration { return d + d/7919 + 1 }

func (r *run) fail(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.problems) < 10 {
		r.problems = append(r.problems, fmt.Sprintf("%v: ", r.now())+fmt.Sprintf(format, args...))
	}
}

// note adds the end of a call to the history: whose, when and how. The order of those
// that end at the same moment, as when a breaker opens, does not count.
func (r *run) note(caller, code int, how string) {
	h := fnv.New64a()
	fmt.Fprintln(h, r.now(), caller, code, how)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history += h.Sum64()
}

func newRun(t *testing.T, seed uint64, lasts time.Duration) *run {
	r := &run{
		t: t, seed: seed, lasts: lasts, slack: time.Millisecond, began: time.Now(), pause: 300 * time.Millisecond,
		timeout: odd(5 * time.Second), attemptTimeout: odd(2 * time.Second), maxWait: odd(time.Second),
		random:  rand.New(rand.NewPCG(seed, 0)),
		watches: map[string]*watch{}, hosts: map[string]*host{},
	}
	r.build(r.random)
	return r
}

var names = []string{"one.example", "two.example", "three.example"}

func (r *run) build(random *rand.Rand) {
	for i, name := range names {
		h := &host{run: r, name: name, exchanges: map[*exchange]struct{}{}}
		h.mood.Store(&moods[0])
		h.watch = &watch{run: r, name: name, maxQueue: 1 + random.IntN(4<<random.IntN(6)), plain: i == 2}
		h.watch.limiter = limiter.New(h.policyOf(random), limiter.Observe(h.watch.observe),
			limiter.MaxQueue(h.watch.maxQueue), limiter.MaxWait(r.maxWait))
		r.hosts[name], r.watches[name] = h, h.watch
	}
	r.maxHold = odd(300*time.Millisecond) * time.Duration(random.IntN(2)) // without it a place that is not given back is lost
	r.retry = httpclient.Retry{Attempts: 1 + random.IntN(3), MinBackoff: 10 * time.Millisecond, MaxBackoff: 200 * time.Millisecond}
	global := &watch{run: r, name: "global", maxQueue: -1}
	r.global = limiter.New(limiter.Fixed(60), limiter.Observe(global.observe), limiter.MaxWait(r.maxWait))
	var err error
	r.transport, err = httpclient.NewTransport(httpclient.Config{
		Base: roundTripper(func(req *http.Request) (*http.Response, error) {
			return r.hosts[req.URL.Host].RoundTrip(req)
		}),
		Limiter: func(name string) *limiter.Limiter { return r.watches[strings.TrimSuffix(name, ":80")].limiter },
		Global:  r.global,
		Timeout: r.timeout, AttemptTimeout: r.attemptTimeout, MaxWait: r.maxWait,
		MaxHold: r.maxHold, Retry: r.retry,
		Breaker: httpclient.Breaker{Window: 10 * time.Second, MinRequests: 10, OpenFor: odd(2 * time.Second)},
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// play has callers call while hosts change their moods and limiters their policies.
func (r *run) play() {
	var wg sync.WaitGroup
	random := r.random
	if r.blur == 0 {
		wg.Go(r.audit)
	}
	for i := range 20 {
		c := r.caller(i, r.seed, uint64(1000+i))
		time.Sleep(r.alone(random, 0)) // so that they begin one after the other
		wg.Go(c.live)
	}
	for r.now() < r.lasts {
		time.Sleep(r.alone(random, min(r.lasts-r.now(), time.Duration(random.ExpFloat64()*float64(10*time.Second)))))
		h := r.hosts[names[random.IntN(len(names))]]
		switch random.IntN(5) {
		case 0:
			h.watch.limiter.SetPolicy(h.policyOf(random))
		case 1: // a burst
			guests := random.IntN(2) == 0
			for i := range 30 {
				c := r.caller(100+i, random.Uint64(), 0)
				time.Sleep(r.alone(random, 0))
				if guests {
					wg.Go(func() { c.visit(h) })
				} else {
					wg.Go(c.call)
				}
			}
			if random.IntN(2) == 0 {
				h.watch.limiter.SetPolicy(h.policyOf(random))
			}
		case 2:
			h.jump(random)
		default:
			h.mood.Store(&moods[random.IntN(len(moods))])
		}
	}
	for _, h := range r.hosts {
		h.mood.Store(&moods[0])
	}
	wg.Wait()
	time.Sleep(r.timeout + time.Second)
}

func (r *run) caller(id int, seed1, seed2 uint64) *caller {
	c := &caller{run: r, id: id, random: rand.New(rand.NewPCG(seed1, seed2)), ends: map[string]int{}}
	r.callers = append(r.callers, c)
	return c
}

// settle checks that all has ended and adds up.
func (r *run) settle() {
	sum, total := map[string]int{}, 0
	for _, c := range r.callers {
		for how, n := range c.ends {
			sum[how] += n
			total += n
		}
	}
	if total != int(r.begun.Load()) {
		r.fail("%d calls have begun and %d ended", r.begun.Load(), total)
	}
	if s := r.global.Stats(); s.InFlight != 0 || s.Queued != 0 || s.Admitted != s.Outcomes.Sum() {
		r.fail("the limit of all hosts at the end: %+v", s)
	}
	if 5*sum["answered"] < total {
		r.fail("only %d of %d calls were answered", sum["answered"], total)
	}
	for _, h := range r.transport.Stats().Hosts {
		s := h.Limiter
		if s.InFlight != 0 || s.Queued != 0 || s.Admitted != s.Outcomes.Sum() || s.Leaked != 0 || s.ObserverPanics != 0 {
			r.fail("%s at the end: %+v", h.Host, s)
		}
		if p := h.Pacer; p.InFlight != 0 || p.Queued != 0 {
			r.fail("%s: pacer at the end: %+v", h.Host, p)
		}
	}
	for name, h := range r.hosts {
		if n := h.inFlight.Load(); n != 0 {
			r.fail("%s still works on %d calls", name, n)
		}
	}
	r.t.Logf("seed %d: %d calls in %v: %+v; history %x", r.seed, r.begun.Load(), r.lasts, sum, r.history)
	for _, p := range r.problems {
		r.t.Errorf("seed %d: %s", r.seed, p)
	}
}
