package httpclient

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tidegate-go/tidegate/limiter"
)

// A spell lasts as long as refusals keep coming. If each Window began another, a host
// that refuses everything would have a second of grace in each.
func TestSpellOfRefusalsBeginsAnewThoughItGoesOn(t *testing.T) {
	b := newBreaker(Breaker{Window: 10 * time.Second, OpenFor: time.Second, Probes: 1})
	now := time.Now()
	for i := range 5 {
		want := time.Duration(i) * 6 * time.Second
		if d := b.refusedLately(now.Add(want)); d != want {
			t.Errorf("the spell has lasted for %v, want %v", d, want)
		}
	}
}

// While a Retry-After holds everybody back nothing can be learnt, so the rate must be
// after it what it was before.
func TestFoundRateGrowsDuringThePauseThatARefusalAsksFor(t *testing.T) {
	var f foundRate
	now := time.Second
	f.refused(now, 1, evidence{refused: true, pause: time.Second, since: 1})
	if before, after := f.at(now), f.at(now+time.Second); before != firstRate || after != before {
		t.Errorf("%v per second before the pause, %v after it", before, after)
	}
}

// Errors seldom have the headers that answers have, so they do not show that a quota is
// not for these requests.
func TestErrorsThatAreSilentOfAQuotaLiftIt(t *testing.T) {
	tr, err := NewTransport(Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, h := tr.newHost(key{"example.com", "80"})
	answer := func(code int, header ...string) {
		resp := &http.Response{StatusCode: code, Header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		h.obey(resp, Classify(resp, nil), &places{})
	}
	answer(200, "RateLimit-Limit", "100", "RateLimit-Remaining", "0", "RateLimit-Reset", "30")
	for range 2 * forgetAfter {
		answer(500)
	}
	if _, wait := h.pacer.Load().policy.Next(limiter.State{Now: time.Second}); wait <= 0 {
		t.Error("a quota that is used up holds nobody back after a few errors")
	}
}

// An answer that asks for no pause does not take back that of another.
func TestPauseIsEndedByAnAnswerThatAsksForNone(t *testing.T) {
	p := &pacing{longest: time.Minute}
	p.hear(evidence{pause: 10 * time.Second})
	p.hear(evidence{quotas: []quota{{limit: 100, left: 99, reset: 30 * time.Second}}})
	if _, wait := p.Next(limiter.State{Now: time.Second}); wait != 10*time.Second {
		t.Errorf("held back for %v, want 10s", wait)
	}
}

// Ten tenths are one, also where adding them up falls short of it.
func TestTenSuccessesDoNotEarnARetry(t *testing.T) {
	var b budget
	for b.take() {
	}
	for range 10 {
		b.earn(0.1)
	}
	if !b.take() || b.take() {
		t.Errorf("spent %v, want ten successes to be worth one retry", b.spent)
	}
}

// Lines about the limit come once a second at most. Each must go on where the one before
// has ended, or the changes in between are nowhere.
func TestLogLeavesOutSomeOfTheWayOfALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		h := &host{name: "example.com:80", log: hostLog{to: zap.New(core)}}
		for _, limit := range []int{10, 11, 12, 13, 14} {
			h.observe(limiter.Event{Kind: limiter.LimitChanged, Limit: limit})
			time.Sleep(400 * time.Millisecond)
		}
		at := int64(10)
		for _, line := range logs.All() {
			m := line.ContextMap()
			if m["from"] != at {
				t.Errorf("from %v, want %v, which was said last", m["from"], at)
			}
			at = m["to"].(int64)
		}
		if at != 14 {
			t.Errorf("said %v last, want 14", at)
		}
	})
}
