// Package experiment runs the post's experiments and records what happens.
//
// A [Workload] is what the tasks do: sleep, call the HTTP origin, or open a
// PostgreSQL connection. A [Policy] is how many of them run at once. A [Runner]
// brings the two together once and returns a [Run], which holds the counts, the
// latencies, the peaks and the line of calls in flight over time.
//
// Three rules make the runs comparable. Every policy gets the same tasks in
// the same order, because what task i does follows from the seed and i alone.
// Policies take turns in an order drawn from the seed, so that a machine that
// gets slower as it gets warmer does not favour those that come first. And
// before a run the program waits until the one before it has left nothing
// behind: no goroutine, no request in the origin's queue, no database session.
package experiment
