package main

import (
	"math"
	"slices"
)

// A bar is a promise about one operation: at most factor times what another
// side takes, or, without another side, no allocation.
type bar struct {
	operation string
	promise   string
	against   string
	factor    float64
}

var bars = []bar{
	{operation: "Fixed", promise: "no allocation"},
	{operation: "FixedEveryCore", promise: "no allocation"},
	{"Fixed", "at most 2 x x/sync/semaphore", "x-sync-semaphore", 2},
	{"FixedEveryCore", "at most 2 x x/sync/semaphore", "x-sync-semaphore", 2},
	{operation: "Adaptive", promise: "no allocation"},
	{"Adaptive", "at most 1.6 x two clock readings and an atomic pair", "floor-two-clocks-atomic-pair", 1.6},
	{"Adaptive", "at most 0.6 x failsafe-go's", "failsafe-go-adaptivelimiter", 0.6},
	{operation: "All", promise: "no allocation"},
	{"All", "at most 1.5 x Adaptive alone", "tidegate-adaptive-alone", 1.5},
	{operation: "Queue", promise: "no allocation"},
	{"Queue", "faster than x/sync/semaphore", "x-sync-semaphore", 1},
	{operation: "QueueHeld", promise: "no allocation"},
	{"QueueHeld", "faster than x/sync/semaphore", "x-sync-semaphore", 1},
	{"ForEach", "at most errgroup.SetLimit", "errgroup-SetLimit", 1},
}

// A verdict says whether a bar is met. It is open when the interval of the
// ratio contains the bar, or when there are too few rounds for an interval.
type verdict struct{ measured, interval, word string }

// judge returns false if the operation has not been measured.
func (b bar) judge(ops []*operation) (verdict, bool) {
	i := slices.IndexFunc(ops, func(op *operation) bool { return op.name == b.operation })
	if i < 0 {
		return verdict{}, false
	}
	op := ops[i]
	us, them := op.side(ours), op.side(b.against)
	if us == nil || (b.against != "" && them == nil) {
		return verdict{}, false
	}
	if b.against == "" {
		// testing rounds down, so that what is amortised counts as nothing.
		most := slices.Max(us.metrics["allocs/op"])
		return verdict{count(most), "", word(most, most, 0)}, true
	}
	r := ratio(us.metrics[op.unit()], them.metrics[op.unit()])
	return verdict{times(r.Center), interval(r, times), word(r.Lo, r.Hi, b.factor)}, true
}

func word(lo, hi, bound float64) string {
	switch {
	case math.IsInf(lo, 0) || math.IsInf(hi, 0):
		return "open"
	case hi <= bound:
		return "met"
	case lo > bound:
		return "MISSED"
	default:
		return "open"
	}
}
