// Package httpclient keeps an HTTP client from overloading the hosts it calls:
// each host has a limit on how many requests are on their way at once, a queue
// for those that have to wait, and a circuit breaker.
//
// [New] returns a ready *http.Client. [NewTransport] returns the
// http.RoundTripper alone, to go around the one that a program has already:
//
//	client, err := httpclient.New(httpclient.Config{})
//	...
//	transport, err := httpclient.NewTransport(httpclient.Config{Base: client.Transport})
//	client.Transport = transport
//
// By itself a host's limit is found and followed by limiter.Adaptive.
// Config.Limiter chooses another, for all hosts or for each.
//
// # The way of a request
//
//  1. Breaker. While the host's breaker is open the request fails at once,
//     without a place in the queue.
//  2. Limiter. The request waits for a place, by priority
//     (limiter.WithPriority) and then by arrival. The wait ends with the
//     request's context, with the queue's own bounds, and when the breaker
//     opens.
//  3. Breaker, again, since its state may have changed meanwhile. Only now is
//     one of the half-open breaker's probes taken: one that waited in the
//     queue would keep all others from probing.
//  4. Config.AttemptTimeout starts. Time in the queue is not the host's fault.
//  5. Base sends the request. Tracing and authorization belong in here, around
//     the Base, where they see what is sent and not what waits. What calls out
//     by itself, as an OAuth token source may, needs another client: with a
//     limit of 1 it would wait for its own request.
//
// When the head of the response arrives, [Classify] judges it and the limiter
// and the breaker are told; latency is the time from 4 to here, so how fast the
// body is read does not count. Answers of 429 and 503 that carry Retry-After
// hold back all requests to the host for that long. The place is given back
// when the body has ended.
//
// # Close the bodies
//
// The place of a request is taken until its response body has been read to the
// end, has failed or has been closed, or until the request's context or attempt
// timeout has ended. Responses without a body give it back at once, and so do
// those of 101 Switching Protocols, whose connection is HTTP's no more. A body
// that is forgotten is found by the garbage collector in time; that gives back
// the place, and Stats counts it as Leaked, but its connection is lost until
// its context ends, as it is with net/http alone.
//
// For the same reason a goroutine that holds one response open while it sends
// another request to the same host needs two places, and with a limit of 1 it
// waits for itself.
//
// # Errors
//
// A response is a response, whatever its status: 503 is not an error here. An
// error that matches limiter.ErrRejected or [ErrBreakerOpen] means that the
// request was not sent, so sending it again cannot do anything twice.
// [ErrAttemptTimeout] is ours, too. Every other error is the Base's and is
// passed on as it is.
//
// http.Client.Timeout covers the wait too, and replaces the error by one of its
// own that none of these match; a context with a deadline does not have that
// flaw.
//
// # What differs from the Base alone
//
//   - Responses whose body holds a place are copies of the Base's, and their
//     Body is of a type of ours, whose Unwrap method returns the Base's.
//   - With an AttemptTimeout, requests are copies as well, so the deprecated
//     http.Transport.CancelRequest does not find them.
//   - http.Client.Timeout needs two more goroutines per request, as with every
//     RoundTripper that net/http does not know.
//
// All of net/http's own tests pass with each client's transport wrapped in
// this one; testdata/conformance tells how to run them and what an
// AttemptTimeout changes.
//
// # Cost
//
// About 600 ns and 3 allocations per request with a fixed limit and a breaker,
// of which gobreaker takes about 200 ns and 1 allocation. A context that can be
// cancelled costs 4 more, for the hook on its end, and an AttemptTimeout 13.
// Nothing is buffered. A host takes about 2 kB.
package httpclient
