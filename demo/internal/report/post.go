package report

import "github.com/tidegate-go/tidegate/demo/internal/experiment"

// The post is "What is the maximum number of coroutines you should run
// concurrently?", Piccolo ORM blog, 23 February 2021: Python's asyncio on a
// Core i7 of 2.6 GHz.
var post = map[key]string{
	{experiment.NameSleep, 10_000, experiment.Unbounded}:  "0.51 s",
	{experiment.NameSleep, 10_000, experiment.Batch}:      "1.69 s",
	{experiment.NameSleep, 100_000, experiment.Unbounded}: "6.24 s",
	{experiment.NameSleep, 100_000, experiment.Batch}:     "5.86 s",
	{experiment.NameHTTP, 100, experiment.Unbounded}:      "2.12 s",
	{experiment.NameHTTP, 100, experiment.Batch}:          "2.90 s",
	{experiment.NameHTTP, 1000, experiment.Unbounded}:     "time-outs",
	{experiment.NameHTTP, 1000, experiment.Batch}:         "none",
}

type key struct {
	experiment string
	n          int
	policy     string
}

// postFigure is what the post has for a row, or empty.
func postFigure(experimentName string, n int, r Row) string {
	if !r.AsInPost || r.Runtime != "" && experimentName == experiment.NamePostgres {
		return ""
	}
	if experimentName == experiment.NamePostgres && n > 100 {
		// The post states this and has no figures for it.
		switch r.Policy {
		case experiment.Unbounded:
			return "errors > 100"
		case experiment.Pool:
			return "no errors"
		}
	}
	return post[key{experimentName, n, r.Policy}]
}
