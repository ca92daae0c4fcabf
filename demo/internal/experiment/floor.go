package experiment

import (
	"container/heap"
	"time"
)

// floor is the least time that n tasks can take under policy p, on a machine
// that needs no time for anything but the tasks themselves: a wall time divided
// by it says what everything else has cost. places is how many tasks the far
// side works on at once, 0 for any number; duration is how long task i takes.
//
// It is the policy's own floor and not that of the work: five batches of 0.3 s
// cannot end before 1.5 s. Policies that search for their limit get the floor
// of one that knew it from the beginning.
func floor(p Policy, n, places int, duration func(i int) time.Duration) time.Duration {
	switch {
	case p.Size > 0:
		var sum time.Duration
		for first := 0; first < n; first += p.Size {
			size := min(p.Size, n-first)
			sum += schedule(size, fewer(size, places), nil,
				func(i int) time.Duration { return duration(first + i) })
		}
		return sum
	case p.Rate > 0:
		return schedule(n, fewer(n, places), p.startOf, duration)
	default:
		width := fewer(n, places)
		return schedule(n, fewer(width, p.Limit), nil, duration)
	}
}

// startOf is the earliest start of task i under a rate.
func (p Policy) startOf(i int) time.Duration {
	if i < p.Burst {
		return 0
	}
	return time.Duration(float64(i-p.Burst+1) / p.Rate * float64(time.Second))
}

// fewer is the lesser of a number and a bound of which 0 means none.
func fewer(n, bound int) int {
	if bound == 0 {
		return n
	}
	return min(n, bound)
}

// schedule returns when the last of n tasks ends if width of them run at once,
// each as soon as there is a place and not before its time of arrival (nil
// means that all have arrived).
func schedule(n, width int, arrival, duration func(i int) time.Duration) (end time.Duration) {
	var busy ends
	for i := range n {
		var start time.Duration
		if arrival != nil {
			start = arrival(i)
		}
		if len(busy) < width {
			heap.Push(&busy, start+duration(i))
		} else {
			busy[0] = max(busy[0], start) + duration(i)
			heap.Fix(&busy, 0)
		}
	}
	for _, e := range busy {
		end = max(end, e)
	}
	return end
}

// ends is a heap of the times at which places become free.
type ends []time.Duration

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i] < e[j] }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(time.Duration)) }
func (e *ends) Pop() any          { panic("never needed") }
