package httpclient

import "github.com/tidegate-go/tidegate/limiter"

// places are what an attempt holds while it is on its way. It is a value, and
// copies stand for the same places.
type places struct {
	host   limiter.Permit
	global limiter.Permit // zero without Config.Global
	pace   limiter.Permit // zero without a pacer: a start that it has granted

	paceSeq uint64 // how many starts it had granted by then
}

func (p *places) none() bool {
	var no limiter.Permit
	return p.host == no && p.global == no && p.pace == no
}

// report tells the limiters how the attempt went. A pacer need not know how
// long the body takes, so its part ends here.
func (p *places) report(o limiter.Outcome) {
	p.pace.Done(o)
	p.global.Report(o)
	p.host.Report(o)
}

// forgo gives the places back and forgets them, so that nothing guards them any
// longer.
func (p *places) forgo() {
	p.release()
	*p = places{}
}

// release gives the places back. A second time does nothing.
func (p *places) release() {
	p.pace.Release()
	p.global.Release()
	p.host.Release()
}
