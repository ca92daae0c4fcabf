package main

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
	"golang.org/x/perf/benchunit"
)

// ours is the side that the others are compared with.
const ours = "tidegate"

// summary is the median and its 95 % interval, with no assumption about how the
// values are distributed: what benchstat shows.
func summary(values []float64) benchmath.Summary {
	// NewSample sorts what it is given, and here the order says which round.
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds), 0.95)
}

// ratio compares two sides round by round.
func ratio(above, below []float64) benchmath.Summary {
	n := min(len(above), len(below))
	ratios := make([]float64, n)
	for i := range n {
		ratios[i] = above[i] / below[i]
	}
	return summary(ratios)
}

// per is what the figures of an operation are about: one item or key if its
// benchmark reports about these, else one operation.
func (op *operation) per() string {
	for _, special := range []string{"key", "item"} {
		if len(op.sides) > 0 && op.sides[0].metrics["B/"+special] != nil {
			return special
		}
	}
	return "op"
}

// unit is what the sides of an operation are compared by.
func (op *operation) unit() string {
	if op.per() == "key" {
		return "B/key"
	}
	return "sec/" + op.per()
}

func quantity(value float64, unit string) string {
	symbol := "s"
	if unit == "B/key" {
		symbol = "B"
	}
	return benchunit.Scale(value, benchunit.Decimal) + symbol
}

// interval is the interval of s, or a dash if there are too few rounds for one.
func interval(s benchmath.Summary, format func(float64) string) string {
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) {
		return "-"
	}
	return format(s.Lo) + " - " + format(s.Hi)
}

// each is the median of a metric, or nothing if it was not measured.
func each(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	return count(summary(values).Center)
}

func count(x float64) string { return fmt.Sprintf("%.0f", x) }

func times(x float64) string { return fmt.Sprintf("%.2f", x) }
