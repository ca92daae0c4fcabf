// Package otelmetrics measures HTTP clients with OpenTelemetry. It is a module of
// its own, so that programs without OpenTelemetry do not download it.
//
// There are two halves, which can be used alone. [Requests] goes inside, around
// the Base that sends the requests, and measures each attempt by the semantic
// conventions for HTTP:
//
//	http.client.request.duration  histogram in seconds, from the start of the
//	                              attempt to the head of its response
//	http.client.active_requests   attempts on their way
//
// [Observe] looks at the Transport outside whenever the metrics are read, and
// costs a request nothing:
//
//	tidegate.client.limit          how many requests may be on their way at once; absent for no limit
//	tidegate.client.in_flight      requests that hold a place
//	tidegate.client.queued         requests that wait for one
//	tidegate.client.admitted       requests that got one
//	tidegate.client.rejected       requests that got none, by tidegate.reason
//	tidegate.client.outcomes       requests that have ended, by tidegate.outcome
//	tidegate.client.leaked         places that were lost and recovered
//	tidegate.client.wait.time      seconds that admitted requests have waited, all together
//	tidegate.client.waits          requests that had to wait
//	tidegate.client.breaker.state  1 for the state that it is in, by tidegate.state
//	tidegate.client.breaker.opened    times
//	tidegate.client.breaker.refused   requests that it did not let through
//	tidegate.client.pace           requests per second that a quota allows; absent without one
//	tidegate.client.pacer.queued     requests that wait for the quota, in a queue before the limiter's
//	tidegate.client.pacer.rejected   requests that did not get through it, by tidegate.reason
//	tidegate.client.pacer.waits      requests that had to wait there and got through
//	tidegate.client.pacer.wait.time  seconds that these have waited, all together
//	tidegate.client.retries        attempts after the first
//	tidegate.client.retries.denied those that the budget did not allow
//
// The attributes server.address and server.port tell hosts apart. The first
// Config.Hosts addresses keep their names, 100 if that is not set, and all others
// are "_OTHER" without a port (0 in what the conventions name), so that a crawler
// does not make a series for each host it finds.
//
//	base, err := otelmetrics.Requests(http.DefaultTransport, otelmetrics.Config{})
//	transport, err := httpclient.NewTransport(httpclient.Config{Base: base})
//	registration, err := otelmetrics.Observe(transport, otelmetrics.Config{})
//
// # Where otelhttp belongs
//
// otelhttp.NewTransport goes inside too, around the Base, in the place of Requests
// or around it: then a span is one attempt, its length is what the server took,
// and a request that was rejected has none. Outside, around the Transport, a span
// is the whole of a request with its waits and retries, and what was rejected is an
// error. Both at once are good, too: a span of the whole with one for each attempt
// below it. The tests of this package show all three.
package otelmetrics
