package picture

import (
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A task comes at a time and takes a time. When it has started and ended is found by
// play.
type task struct{ comes, long, started, ended time.Duration }

// play runs tasks, who come in their order, through a policy, as a Limiter would.
func play(p limiter.Policy, tasks []task) {
	var now time.Duration
	var running []int
	first, come := 0, 0 // the first that has not started; how many have come
	state := func() limiter.State {
		return limiter.State{Now: now, InFlight: len(running), Queued: come - first}
	}
	for first < len(tasks) || len(running) > 0 {
		for come < len(tasks) && tasks[come].comes <= now {
			come++
		}
		next := time.Duration(1<<63 - 1) // when something happens
		for first < come {
			limit, wait := p.Next(state())
			if wait > 0 {
				next = now + wait
			}
			if wait > 0 || len(running) >= limit {
				break
			}
			t := &tasks[first]
			t.started, t.ended = now, now+t.long
			running = append(running, first)
			first++
			p.Start(state())
		}
		if come < len(tasks) {
			next = min(next, tasks[come].comes)
		}
		for _, i := range running {
			next = min(next, tasks[i].ended)
		}
		now = next
		for _, i := range slices.Clone(running) {
			if tasks[i].ended == now {
				p.Report(state(), limiter.Result{Outcome: limiter.Success, Latency: tasks[i].long})
				running = slices.DeleteFunc(running, func(k int) bool { return k == i })
			}
		}
	}
}
