// Package loadtest has an origin in virtual time, so that what measures real
// ones can be tested against thousands of them in seconds.
package loadtest

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
)

// An Origin is a load.Target. Two with the same fields and the same questions
// give the same answers.
type Origin struct {
	knee.Network
	// Queue is how many calls may wait; the others are refused. 0 is no bound.
	Queue int
	// Lag is the most by which an answer is late, evenly distributed: what
	// timers and busy processors do. Disturbed is the share of trials in which
	// it is ten times as much.
	Lag       time.Duration
	Disturbed float64
	Timeout   time.Duration // of a call; 0 is none
	Random    *rand.Rand

	// Elapsed is the virtual time that all trials have taken, and Calls and
	// Failed are the calls in them.
	Elapsed       time.Duration
	Calls, Failed int
}

// An event is something that happens to a caller at a time.
type event struct {
	at, began time.Duration
	kind      int
	caller    int
	end       experiment.End
}

const (
	begins = iota
	arrives
	ends
)

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at != e[j].at {
		return e[i].at < e[j].at
	}
	return e[i].caller < e[j].caller
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

type times []time.Duration

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(x any)        { *t = append(*t, x.(time.Duration)) }
func (t *times) Pop() any          { panic("never needed") }

// Measure makes a trial in virtual time.
func (o *Origin) Measure(ctx context.Context, t load.Trial) (load.Measurement, error) {
	if ctx.Err() != nil {
		return load.Measurement{Limit: t.Limit}, context.Cause(ctx)
	}
	lag := o.Lag
	if o.Random.Float64() < o.Disturbed {
		lag *= 10
	}
	end := t.Ramp + t.Warm + t.Window
	var coming events
	for i := range t.Limit {
		heap.Push(&coming, event{at: time.Duration(i) * t.Ramp / time.Duration(t.Limit), kind: begins, caller: i})
	}
	workers := make(times, o.Workers) // when each is free
	var waiting times                 // when each call that has come will be worked on
	r := load.NewRecord(t)
	var now time.Duration
	halted := false
	for len(coming) > 0 {
		e := heap.Pop(&coming).(event)
		now = e.at
		switch e.kind {
		case begins:
			if now >= end || halted {
				continue
			}
			heap.Push(&coming, event{at: now + o.Delay/2, began: now, kind: arrives, caller: e.caller})
		case arrives:
			answer := event{began: e.began, kind: ends, caller: e.caller, end: experiment.Succeeded}
			for len(waiting) > 0 && waiting[0] <= now {
				waiting = waiting[1:]
			}
			if o.Queue > 0 && workers[0] > now && len(waiting) >= o.Queue {
				answer.at, answer.end = now+o.Delay/2, experiment.Refused
			} else {
				start := max(now, workers[0])
				if start > now {
					waiting = append(waiting, start)
				}
				workers[0] = start + o.service()
				finish := workers[0]
				heap.Fix(&workers, 0)
				answer.at = finish + o.Delay/2 + time.Duration(o.Random.Float64()*float64(lag))
			}
			if o.Timeout > 0 && answer.at-e.began > o.Timeout {
				answer.at, answer.end = e.began+o.Timeout, experiment.TimedOut
			}
			heap.Push(&coming, answer)
		case ends:
			o.Calls++
			if e.end != experiment.Succeeded {
				o.Failed++
			}
			r.Ended(now, now-e.began, e.end)
			if t.Careful && e.end != experiment.Succeeded {
				r.Harm("a call ended badly", 0)
			}
			if t.Careful && t.Longest > 0 && now-e.began > t.Longest {
				r.Harm("a call took too long", 0)
			}
			halted = r.Halted()
			heap.Push(&coming, event{at: now, kind: begins, caller: e.caller})
		}
	}
	o.Elapsed += max(now, 0)
	m := r.Measurement()
	m.Seconds = now.Seconds()
	return m, nil
}

func (o *Origin) service() time.Duration {
	if o.Exponential {
		return time.Duration(o.Random.ExpFloat64() * float64(o.Service))
	}
	return o.Service
}
