package simulation

import (
	"math/rand/v2"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A watch looks at one Limiter from outside.
type watch struct {
	*run
	name     string
	limiter  *limiter.Limiter
	maxQueue int  // -1: none
	plain    bool // all calls have the same priority

	seq      uint64
	inFlight int
	came     time.Duration // the latest call that was admitted
	paused   time.Duration // until then, at least
}

// observe checks each event. The Limiter tells one after the other.
func (w *watch) observe(e limiter.Event) {
	if w.seq++; e.Seq != w.seq {
		w.fail("%s: event %d comes as %d", w.name, e.Seq, w.seq)
	}
	at := e.Time.Sub(w.began)
	bound := w.maxWait
	switch e.Kind {
	case limiter.Admitted:
		w.inFlight++
		if e.InFlight > e.Limit {
			w.fail("%s: a call was admitted as the %dth of %d", w.name, e.InFlight, e.Limit)
		}
		if at < w.paused-w.blur {
			w.fail("%s: a call was admitted in a pause until %v", w.name, w.paused)
		}
		came := at - e.Wait
		if w.plain && came+w.blur < w.came {
			w.fail("%s: who came at %v was admitted after who came at %v", w.name, came, w.came)
		}
		w.came = max(w.came, came)
	case limiter.Rejected:
		bound += w.slack
		if w.plain && e.Reason == limiter.Evicted {
			w.fail("%s: a call was evicted by its equal", w.name)
		}
	case limiter.Finished:
		w.inFlight--
	case limiter.LimitChanged:
		if e.Limit < 0 || e.Limit > 1000 {
			w.fail("%s: limit %d", w.name, e.Limit)
		}
	case limiter.Paused:
		if d := e.Until.Sub(e.Time); d > time.Minute+w.blur {
			w.fail("%s: a pause of %v, at most a minute is usual", w.name, d)
		}
		w.mu.Lock()
		w.paused = max(w.paused, e.Until.Sub(w.began))
		w.mu.Unlock()
	}
	if e.InFlight != w.inFlight || e.InFlight < 0 || e.Queued < 0 {
		w.fail("%s: %d are in flight: %+v", w.name, w.inFlight, e)
	}
	if w.maxQueue >= 0 && e.Queued > w.maxQueue {
		w.fail("%s: %d wait, MaxQueue is %d", w.name, e.Queued, w.maxQueue)
	}
	if e.Wait > bound {
		w.fail("%s: %v after %v, MaxWait is %v", w.name, e.Kind, e.Wait, w.maxWait)
	}
}

// audit compares, at moments at which nothing else happens, what is in flight with what
// the Limiters count.
func (r *run) audit() {
	random := rand.New(rand.NewPCG(r.seed, 1))
	for r.now() < r.lasts {
		time.Sleep(r.alone(random, time.Duration(random.ExpFloat64()*float64(r.pause))))
		synctest.Wait()
		now, global, all := r.now(), r.global.Stats(), 0
		for _, name := range names {
			h, w := r.hosts[name], r.watches[name]
			s := w.limiter.Stats()
			busy := h.holding(now)
			all += busy
			// Who waits for the place of all hosts may have that of its host in hand.
			if busy += int(h.guests.Load()); s.InFlight < busy || s.InFlight > busy+global.Queued {
				r.fail("%s: %d hold a place, the limiter counts %d", name, busy, s.InFlight)
			}
			w.mu.Lock()
			paused := now < w.paused
			w.mu.Unlock()
			if s.Queued > 0 && s.InFlight < s.Limit && !paused && !h.rated.Load() {
				r.fail("%s: %d wait, though only %d of %d are in flight", name, s.Queued, s.InFlight, s.Limit)
			}
		}
		if global.InFlight != all {
			r.fail("%d hold a place of all hosts, the limiter counts %d", all, global.InFlight)
		}
	}
}

// policyOf draws a policy for h.
func (h *host) policyOf(random *rand.Rand) limiter.Policy {
	least := 1 + random.IntN(5)
	most := least + random.IntN(2<<random.IntN(5))
	h.rated.Store(false)
	var p limiter.Policy
	switch random.IntN(8) {
	case 0:
		least = most
		p = limiter.Fixed(most)
	case 1:
		h.rated.Store(true)
		least = most
		p = limiter.All(limiter.Rate(rate, burst), limiter.Fixed(most))
	case 2:
		p = limiter.AIMD(limiter.AIMDConfig{Min: least, Max: most})
	case 3:
		p = limiter.Gradient(limiter.GradientConfig{Min: least, Max: most, Seed: random.Uint64()})
	case 4:
		least = 0
		p = limiter.Batch(most)
	case 5:
		p = limiter.Adaptive(limiter.AdaptiveConfig{Min: least, Max: most})
	default:
		least, most = 1, 1000
		p = limiter.Adaptive(limiter.AdaptiveConfig{})
	}
	if random.IntN(2) == 0 {
		return p // a Limiter treats the policies of its package in its own way
	}
	return &watched{Policy: p, run: h.run, least: least, most: most, rated: h.rated.Load(), tokens: burst}
}

// What a policy with a rate has, per second and at once.
const rate, burst = 50, 10

// watched is a policy of which is checked what it says and what it is told.
type watched struct {
	limiter.Policy
	*run
	least, most int

	asked      bool
	since, now time.Duration // when it was first asked, and last told
	limit      int
	onWay      int
	rated      bool
	tokens     float64
}

func (p *watched) Next(s limiter.State) (int, time.Duration) {
	if !p.asked {
		p.asked, p.since, p.now = true, s.Now, s.Now
	}
	p.tick(s)
	limit, wait := p.Policy.Next(s)
	if limit < p.least || limit > p.most {
		p.fail("%T gives a limit of %d, its bounds are %d and %d", p.Policy, limit, p.least, p.most)
	}
	p.limit = limit
	return limit, wait
}

func (p *watched) Start(s limiter.State) {
	p.tick(s)
	if p.tokens--; p.rated && p.tokens < -1e-6 {
		p.fail("%T has let one start that has no token", p.Policy)
	}
	if p.onWay++; s.InFlight > p.limit {
		p.fail("%T has said %d and %d are in flight", p.Policy, p.limit, s.InFlight)
	}
	p.Policy.Start(s)
}

func (p *watched) Report(s limiter.State, r limiter.Result) {
	p.tick(s)
	if s.InFlight < p.onWay {
		p.fail("%T hears of %d in flight when %d are", p.Policy, s.InFlight, p.onWay)
	}
	if p.onWay--; p.onWay < 0 || s.Now-r.Latency < p.since-p.blur {
		p.fail("%T hears of a call that began before it, or of one for the second time", p.Policy)
	}
	p.Policy.Report(s, r)
}

func (p *watched) tick(s limiter.State) {
	if s.Now < p.now {
		p.fail("%T is told %v after %v", p.Policy, s.Now, p.now)
	}
	p.tokens = min(burst, p.tokens+rate*(s.Now-p.now).Seconds())
	p.now = s.Now
}
