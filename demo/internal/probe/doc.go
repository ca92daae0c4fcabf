// Package probe finds out how many calls at once an endpoint of the user's can
// take, without doing harm to it.
//
// It begins with one call at a time and takes half as many again as long as
// that brings what it should: below the knee goodput is in proportion to the
// limit, and where it falls 7 % short of that, and of what chance may do, the knee is
// passed: by no more than 60 % if all calls take equally long, by more if they do not.
// It looks three times before it believes that. It then measures between the limits
// that enclose the knee, in four rounds, and applies the rule of package knee. Callers
// begin one after another, so that a step up is a slope.
//
// The less alike the latencies of a lone call are, the longer are the windows, up to a
// 25th of the time: a goodput of few calls says little. It remains a matter of luck
// where such calls are long. With 100 ms, exponentially distributed, one probe in two or
// three comes within 20 % of the knee, and more time helps little.
//
// It stops for good at the first sign of harm: a call that fails or is refused
// (429 and 503, with or without Retry-After), or that takes ten times as long as
// a lone one. What it then recommends is from the limits that were clean. Only
// if the very first calls are refused with a Retry-After that the time allows
// does it wait for that long, and begins once more.
//
// The recommended rate is 90 % of the best goodput, because a queue before a
// server that is busy all the time only grows. The recommended timeout is four
// times the 99th percentile of the latency with the recommended limit: far above
// what is ordinary, and near enough to give up on what is not.
package probe
