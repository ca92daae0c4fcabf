package main

// A defect is a mistake that somebody could make. What is replaced must stand in the
// file exactly once: a rule that no longer fits is an error, and not a defect that
// is caught.
type defect struct {
	name, file, from, to string
}

var defects = []defect{
	// The engine.
	{"a release wakes nobody", "limiter/permit.go", "\t\tl.free(c)\n\t\tif l.queue.len > 0 {\n\t\t\tl.dispatch()\n\t\t}", "\t\tl.free(c)"},
	{"a second release counts", "limiter/permit.go", "\tif p.current() {\n\t\tc.generation++ // before the policy is told, which might panic\n", "\tif p.call.state == running {\n"},
	{"a second report counts", "limiter/permit.go", "if p.current() && !p.call.reported {\n\t\tl.report(", "if p.current() {\n\t\tl.report("},
	{"a place is never given back", "limiter/permit.go", "\tc.inFlight = false\n\tl.inFlight--\n", "\tc.inFlight = false\n"},
	{"one place too many", "limiter/limiter.go", "\tif l.inFlight >= limit {\n\t\treturn Permit{}, false", "\tif l.inFlight > limit {\n\t\treturn Permit{}, false"},
	{"one place too many for who waits", "limiter/dispatch.go", "\t\tif l.inFlight >= limit {\n\t\t\tbreak", "\t\tif l.inFlight > limit {\n\t\t\tbreak"},
	{"newcomers overtake", "limiter/limiter.go", "\tif l.queue.len > 0 {\n\t\treturn Permit{}, false\n\t}\n\tnow, limit", "\tnow, limit"},
	{"a cancelled caller leaves its place in the queue", "limiter/queue.go", "\t\tl.queue.remove(c)\n\t\tc.forgetNudge() // what it asks for is done below\n\t\tl.pace.moved(now, l.inFlight)\n\t\terr = l.reject(reason, cause", "\t\tl.pace.moved(now, l.inFlight)\n\t\terr = l.reject(reason, cause"},
	{"who gives up lets nobody else in", "limiter/queue.go", "\t\tl.dispatch() // it may have been the first in line\n", ""},
	{"the lowest priority is served first", "limiter/queue.go", "return cmp.Compare(c.priority, p) })", "return cmp.Compare(p, c.priority) })"},
	{"the queue has room for one more", "limiter/queue.go", "\tif l.boundQueue && l.queue.len >= l.maxQueue {\n\t\tl.dispatch()", "\tif l.boundQueue && l.queue.len > l.maxQueue {\n\t\tl.dispatch()"},
	{"equals are evicted", "limiter/queue.go", "c.priority >= priority {\n\t\treturn false", "c.priority > priority {\n\t\treturn false"},
	{"the evicted wait on", "limiter/queue.go", "\tc.err = l.reject(why, nil, waited, now)\n\tc.tell()\n", "\tc.err = l.reject(why, nil, waited, now)\n"},
	{"a deadline is not heeded beforehand", "limiter/queue.go", "case w.hasDeadline && wait > time.Until(w.deadline):", "case w.hasDeadline && wait > time.Hour+time.Until(w.deadline):"},
	{"MaxWait is not heeded", "limiter/queue.go", "\t\texpired = c.timer.C\n", ""},
	{"an ended context acquires", "limiter/limiter.go", "\tif ctx.Err() != nil {\n\t\treturn Permit{}, l.refuse(ctx)\n\t}\n\tl.mu.Lock()\n\tp, ok := l.try()", "\tl.mu.Lock()\n\tp, ok := l.try()"},
	{"a pause can only become shorter", "limiter/permit.go", "until > l.pausedUntil {", "until < l.pausedUntil || l.pausedUntil == 0 {"},
	{"a pause has no bound", "limiter/permit.go", "after(now, min(d, l.longestPause()))", "after(now, d)"},
	{"a pause is not heeded", "limiter/limiter.go", "\t\twait = max(wait, l.pauseLeft())\n\t}\n\treturn limit, wait", "\t}\n\treturn limit, wait"},
	{"lost permits are not recovered", "limiter/permit.go", "\t\t\tl.stats.seldom().leaked++\n\t\t\tl.end(f, Ignored)\n", "\t\t\tl.stats.seldom().leaked++\n"},
	{"a new policy hears of old calls", "limiter/permit.go", "if !l.constant && c.era == l.era {", "if !l.constant {"},
	{"a new policy lets nobody in", "limiter/limiter.go", "\tl.constant = isConstant(p) // from here on the answer is known\n\tl.dispatch()\n", "\tl.constant = isConstant(p) // from here on the answer is known\n"},
	{"the policy is not told of starts", "limiter/limiter.go", "\tif !l.constant {\n\t\tl.policy.Start(l.state(at, l.queue.len))\n\t}\n", ""},
	{"tokens are not spent", "limiter/rate.go", "t.there, t.at = t.level(s.Now)-1, s.Now", "t.there, t.at = t.level(s.Now), s.Now"},
	{"the bucket has no bottom", "limiter/rate.go", "return min(t.burst, t.there+", "return min(math.MaxFloat64, t.there+"},

	// The transport.
	{"the permit ends with the head", "httpclient/attempt.go", "\tresp = a.hold(ctx, resp)\n\ta.answer, a.handed = nil, true\n", "\ta.answer = nil\n"},
	{"an answer without a body keeps its place", "httpclient/attempt.go", "\tcase bodyless(resp, a.req):\n\t\ta.places.forgo()\n", "\tcase bodyless(resp, a.req):\n"},
	{"the request body is not closed", "httpclient/attempt.go", "\tif !a.sent {\n\t\tcloseBody(a.req)\n\t}\n", ""},
	{"the breaker is told twice", "httpclient/breaker.go", "\tt.done = nil\n\tif t.probe", "\tif t.probe"},
	{"the breaker is not told of what was never sent", "httpclient/attempt.go", "\t\ta.ticket.report(errExcluded) // unless it has been reported\n", ""},
	{"a hung probe wedges the breaker", "httpclient/breaker.go", "func (p *probe) expire() { p.tell(errFailure) }", "func (p *probe) expire() {}"},
	{"an open breaker lets its queue wait", "httpclient/breaker.go", "\t\t\th.flush(h.refusal(gobreaker.ErrOpenState))\n", ""},
	{"429 opens the breaker", "httpclient/breaker.go", "if resp == nil || resp.StatusCode >= 500 {", "if resp == nil || resp.StatusCode >= 400 {"},
	{"a closed body keeps its place", "httpclient/body.go", "\t\tif b.ended.CompareAndSwap(false, true) {\n\t\t\tb.release()\n\t\t}\n\t}()", "\t}()"},
	{"the end of a context keeps its place", "httpclient/body.go", "\t\t\tif b := w.Value(); b != nil {\n\t\t\t\tb.leave()\n\t\t\t}\n", "\t\t\t_ = w\n"},
	{"MaxHold is not heeded", "httpclient/body.go", "b != nil && b.leave() {\n", "b != nil && !b.ended.Load() {\n"},
	{"the rest of a window counts for the next", "httpclient/pacing.go", "\tcase since < q.first:\n\t\treturn // what is left of the window before says nothing of this one\n", ""},
	{"a used-up window is waited for to the second", "httpclient/pacing.go", "min(p.longest, q.patience())", "p.longest"},
	{"started calls are not taken off a quota", "httpclient/pacing.go", "\t\tp.quotas[i].left--\n", ""},
	{"trailers are lost", "httpclient/body.go", "\t\t\tb.response.Trailer = b.from.Trailer // net/http may only have made it now\n", ""},
}
