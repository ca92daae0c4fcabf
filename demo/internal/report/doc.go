// Package report shows runs of experiments to people and to programs: a table
// and a sentence for each experiment, progress while it runs, and one JSON
// document of everything.
//
// Nothing here is a claim made in advance. The sentences are put together from
// the numbers, and say the opposite when the numbers do.
package report
