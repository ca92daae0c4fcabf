package httpclient

import (
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// An answer that was on its way when the window changed tells what is left of the
// old one. Taken for the new one it costs all of it.
func TestRestOfAWindowCountsForTheNext(t *testing.T) {
	p := &pacing{longest: time.Minute}
	old := quota{limit: 500, window: time.Second, left: 3, reset: time.Second}
	p.started.Store(10)
	p.learn(old, time.Millisecond, 10)
	q := &p.quotas[0]
	q.renew(1001*time.Millisecond, p.started.Load())
	p.learn(old, 1010*time.Millisecond, 10)
	if q.left != 500 {
		t.Errorf("%v left of a window that has just begun", q.left)
	}
	p.started.Store(11)
	fresh := old
	fresh.left = 400
	p.learn(fresh, 1020*time.Millisecond, 11)
	if q.left != 400 {
		t.Errorf("%v left, want what an answer of this window says", q.left)
	}
}

// Servers round up to whole seconds when a window is renewed. Who takes that
// literally sends nothing in a window that has long begun.
func TestUsedUpWindowIsWaitedForToTheSecond(t *testing.T) {
	p := &pacing{longest: time.Minute}
	p.started.Store(1)
	p.learn(quota{limit: 500, window: time.Second, left: 0, reset: time.Second}, time.Millisecond, 1)
	if _, wait := p.Next(limiter.State{Now: 2 * time.Millisecond}); wait > 60*time.Millisecond {
		t.Errorf("nobody looks for %v whether it has been renewed", wait)
	}
}

// nginx's limit_req without a burst refuses the second of two requests that come
// closer together than its rate says, however long there was none before. Who makes
// up for a late start is refused, and takes the rate for too high.
func TestLateStartIsMadeUpForAtAFoundRate(t *testing.T) {
	p := &pacing{longest: time.Minute}
	p.hear(evidence{refused: true})
	p.Start(limiter.State{Now: time.Second}) // hears of it
	for now := time.Second; now < 2*time.Second; now += 7 * time.Millisecond {
		p.Start(limiter.State{Now: now}) // late
		interval := p.found.interval(now)
		if _, wait := p.Next(limiter.State{Now: now}); interval > 0 && wait < min(interval, slotTime) {
			t.Fatalf("%v after a start that was late, the next may start in %v, at one in %v", now-time.Second, wait, interval)
		}
	}
}

// A server that is silent of its quota for some answers, and then speaks of it again,
// must be believed again.
func TestQuotaThatWasForgottenOnceStaysForgotten(t *testing.T) {
	p := &pacing{longest: time.Minute}
	usedUp := evidence{quotas: []quota{{limit: 100, left: 0, reset: 30 * time.Second}}}
	p.hear(usedUp)
	s := limiter.State{Now: time.Second}
	if _, wait := p.Next(s); wait <= 0 {
		t.Fatal("a quota that is used up holds nobody back")
	}
	for range forgetAfter {
		p.silence()
	}
	if _, wait := p.Next(s); wait > 0 {
		t.Fatalf("a quota that nobody speaks of any more holds back for %v", wait)
	}
	p.hear(usedUp)
	if _, wait := p.Next(s); wait <= 0 {
		t.Error("it is spoken of again and holds nobody back")
	}
}

// What an answer says is left includes what is on its way by now.
func TestRequestsOnTheirWayAreNotTakenOffAQuota(t *testing.T) {
	p := &pacing{longest: time.Minute}
	p.started.Store(10)
	p.learn(quota{limit: 100, window: time.Minute, left: 8, reset: time.Minute}, time.Millisecond, 4)
	if left := p.quotas[0].left; left != 2 {
		t.Errorf("%v left of 8, with 6 requests that the server had not seen", left)
	}
}

// A time of renewal in whole seconds, rounded up, seems to move on with each answer.
// Between two answers that speak of it only the starts bring a quota down. If they did
// not, all who wait for a slow server would use up what there was at the last answer.
func TestStartsUntilTheNextAnswerAreFree(t *testing.T) {
	p := &pacing{longest: time.Hour}
	p.hear(evidence{quotas: []quota{{name: "q", limit: 100, left: 60, reset: time.Minute, window: time.Minute}}})
	p.Next(limiter.State{Now: time.Second}) // which hears of it
	for range 60 {
		p.Start(limiter.State{Now: time.Second})
	}
	if _, wait := p.Next(limiter.State{Now: time.Second}); wait != time.Minute {
		t.Errorf("the next may start after %v, want to wait for the renewal", wait)
	}
}

func TestRenewalIsPutOffByEachAnswer(t *testing.T) {
	p := &pacing{longest: time.Minute}
	for i := range 10 {
		now := time.Duration(i) * 90 * time.Millisecond
		p.learn(quota{limit: 100, window: 20 * time.Second, left: 50, reset: 2 * time.Second}, now, 0)
	}
	if until := p.quotas[0].until; until != 2*time.Second {
		t.Errorf("renewed at %v, want the soonest that was said, 2 s", until)
	}
}

// A window that is used up may last for long yet, and each look at it is a refusal.
func TestUsedUpWindowIsLookedAtAsOftenAsAtFirst(t *testing.T) {
	p := &pacing{longest: time.Minute}
	p.hear(evidence{refused: true})
	starts := 0
	for now := time.Second; now < 31*time.Second; now += 5 * time.Millisecond {
		if _, wait := p.Next(limiter.State{Now: now}); wait > 0 {
			continue
		}
		p.Start(limiter.State{Now: now})
		p.hear(evidence{refused: true, since: p.started.Load()})
		starts++
	}
	if starts < 30 || starts > 70 {
		t.Errorf("%d requests in half a minute in which all are refused, want from one to two a second", starts)
	}
}

// A rate that has been dropped, because nothing was refused for long or because refusals
// have nothing to do with it, is not found again by an answer that is none.
func TestSuccessBringsBackARateThatWasDropped(t *testing.T) {
	const set = time.Second
	for why, rate := range map[string]float64{"it was in vain": 0, "nothing was refused": 10} {
		f := foundRate{rate: rate, searching: true, edge: 50, doubling: slotTime, slower: 1, set: set, cut: set}
		now := set + forgotten + time.Second
		if r := f.at(now); r != 0 {
			t.Fatalf("%s: %v per second", why, r)
		}
		if f.succeeded(now, now-time.Millisecond); f.at(now) != 0 {
			t.Errorf("%s, and after a success the rate is %v per second", why, f.at(now))
		}
	}
}
