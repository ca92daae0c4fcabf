package scenario

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A bubble is a simulation in the virtual time of testing/synctest: each call that
// waits at a gate is a goroutine that asks a real limiter. All else happens in the one
// goroutine of play, one event after the other, so that no race decides anything.
type bubble struct {
	*simulation
	wait       func() // until every other goroutine is blocked
	newLimiter func(client int) Limiter

	timer   *time.Timer
	tickets []ticket // beside the calls of the simulation
	asked   uint64
	answers chan answer // of limiters
}

// A ticket is what a call has got.
type ticket struct {
	cancel context.CancelFunc // ends its waiting
	permit Permit             // nil unless it is in flight
}

// An answer is the end of a goroutine that has asked a limiter.
type answer struct {
	turn       uint64 // in the order in which they asked
	call       int32
	generation uint32 // of the call
	permit     Permit
	err        error
}

// play runs the world to its end and sends everybody home. A goroutine that a
// limiter does not let go then is reported by synctest.
func (b *bubble) play() {
	b.timer = time.NewTimer(0)
	defer b.timer.Stop()
	b.run()
	for i := range b.tickets {
		b.tickets[i].cancel()
	}
	for _, a := range b.collect() {
		if a.err == nil {
			a.permit.Release()
		}
	}
	for i := range b.tickets {
		if p := b.tickets[i].permit; p != nil {
			p.Release()
		}
	}
}

// ticket returns the ticket of a call.
func (b *bubble) ticket(c int32) *ticket {
	for len(b.tickets) <= int(c) {
		b.tickets = append(b.tickets, ticket{cancel: func() {}})
	}
	return &b.tickets[c]
}

// ask sends a call to the limiter of its gate.
func (b *bubble) ask(g *gate, c int32) {
	ctx, cancel := context.WithCancel(context.Background())
	*b.ticket(c) = ticket{cancel: cancel}
	a := answer{turn: b.asked, call: c, generation: b.calls[c].generation}
	b.asked++
	go func() {
		a.permit, a.err = g.real.Acquire(ctx)
		cancel()
		b.answers <- a
	}()
	b.wait() // so that calls stand in line as they have come
}

// collect adds the answers that there are to those that are known, and returns all
// in the order of the questions.
func (b *bubble) collect(all ...answer) []answer {
	b.wait()
	for {
		select {
		case a := <-b.answers:
			all = append(all, a)
			continue
		default:
		}
		slices.SortFunc(all, func(a, b answer) int { return cmp.Compare(a.turn, b.turn) })
		return all
	}
}

// passes lets time pass until at. If a limiter answers by then, the calls concerned
// go on their way at that moment and it reports false: something else may be next.
func (b *bubble) passes(at time.Duration) bool {
	answers := b.collect()
	if left := at - time.Since(b.wall); len(answers) == 0 && left > 0 {
		b.timer.Reset(left)
		select {
		case <-b.timer.C:
		case a := <-b.answers:
			answers = append(answers, a)
		}
		b.now = time.Since(b.wall)
		answers = b.collect(answers...) // by chance the timer has been heard first
	}
	for _, a := range answers {
		b.proceed(a)
	}
	return len(answers) == 0
}

// proceed sends a call on its way that need not wait any more.
func (b *bubble) proceed(a answer) {
	k := &b.calls[a.call]
	switch {
	case k.generation != a.generation || !k.waiting:
		if a.err == nil {
			a.permit.Release() // its caller has just left
		}
	case a.err != nil:
		b.drop(a.call)
	default:
		b.tickets[a.call].permit = a.permit
		b.start(&b.gates[b.clients[k.client].gate], a.call)
	}
}

// ended ends a call at its limiter. If its body is still to be read, that is a call
// of its own, which keeps the permit.
func (b *bubble) ended(c int32, o limiter.Outcome, body int32) {
	p := b.tickets[c].permit
	b.tickets[c].permit = nil
	if body == none {
		p.Done(o)
		return
	}
	p.Report(o)
	b.ticket(body).permit = p
}

// read ends the body of a call.
func (b *bubble) read(body int32) {
	b.tickets[body].permit.Release()
	b.tickets[body].permit = nil
}
