// Package sweep measures a target with one limit after another and says how
// many calls should be in flight. What that means, and how sure it is, is the
// subject of package knee.
//
// It goes in three steps. It doubles the limit until that has not helped three
// times. It measures between the two limits where the goodput reaches 95 % of
// the best, until neighbours are one call or 2.5 % apart. And it repeats, in
// several rounds, what the answer rests on: the limits around the knee and some
// of the plateau, in an order drawn anew for each round, so that a machine that
// is slow for some seconds does not favour one of them. If the interval is wide
// after that, three more rounds let it leave out the outermost values.
package sweep
