package httpclient

import (
	"net/http"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A pacer is a queue in front of a host's Limiter, in which requests wait until
// the server's quota has room for them. A host gets one when its server says
// something of quotas, or answers 429, for the first time.
type pacer struct {
	limiter *limiter.Limiter
	policy  *pacing
}

func newPacer(longest time.Duration) *pacer {
	p := &pacing{longest: longest}
	return &pacer{limiter.New(p, limiter.MaxQueue(maxQueue)), p}
}

// obey does what the head of a response asks for, and returns what the limiters
// are to be told. A 429 that a quota explains, or that the search for a rate has
// brought about, is not evidence of how many requests the host can do at once.
func (h *host) obey(resp *http.Response, o limiter.Outcome, p *places) limiter.Outcome {
	quotas := !h.noPacing && speaksOfQuotas(resp.Header)
	if o != limiter.Refused && !quotas || o == limiter.Ignored {
		if pc := h.pacer.Load(); pc != nil && o == limiter.Success {
			pc.policy.silence()
		}
		return o // nearly all of them: spared the reading of the clock
	}
	var e evidence
	now := time.Now()
	if o == limiter.Refused {
		e.pause = retryAfter(resp.Header, now, h.maxPause)
	}
	if quotas {
		e.quotas = quotasOf(resp.Header, now)
	}
	// With a quota before our eyes there is no need to look for a rate.
	e.refused = !h.noPacing && resp.StatusCode == http.StatusTooManyRequests && e.quotas == nil
	if e.pause > 0 {
		h.pause(p.host, e.pause)
	}
	if h.noPacing || e.quotas == nil && !e.refused && e.pause == 0 {
		return o
	}
	pc := h.pacer.Load()
	if pc == nil {
		if e.quotas == nil && !e.refused {
			return o
		}
		pc = newPacer(h.maxPause)
		if !h.pacer.CompareAndSwap(nil, pc) {
			pc = h.pacer.Load()
		}
	}
	e.since = p.paceSeq
	pc.policy.hear(e)
	if resp.StatusCode == http.StatusTooManyRequests && (e.quotas != nil || !pc.policy.settled.Load()) {
		return limiter.Failed
	}
	return o
}
