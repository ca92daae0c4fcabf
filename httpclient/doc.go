// Package httpclient keeps an HTTP client from overloading the hosts it calls:
// each host has a limit on how many requests are on their way at once, a queue
// for those that have to wait, and a circuit breaker. What servers say of their
// quotas is obeyed before they have to enforce it, and requests that may be
// repeated can be, within a budget.
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
// Config.Policy chooses another, for all hosts or for each, and Config.Hosts
// overrides it for some.
//
// # The way of a request
//
// Once for each request:
//
//  1. Config.Timeout bounds it as a whole, if set.
//  2. Config.Retry sends it again if it may be and it is worthwhile. It comes
//     before all that follows, since each attempt is load and takes a place of
//     its own; between two attempts no place is held.
//
// Then for each attempt:
//
//  3. Breaker. While the host's breaker is open the request fails at once,
//     without a place in the queue.
//  4. Pacer. If the host has a quota the request waits until that has room.
//  5. Limiter. The request waits for a place of its host, then for one of
//     Config.Global. If it has to wait for the global one, it gives back the
//     host's meanwhile. If that has been taken by then, it waits for both
//     anew, and this time keeps the host's while it waits for the global one. All waits go
//     by priority (limiter.WithPriority) and then by arrival. They end with
//     the request's context, with Config.MaxWait, with the queue's own bounds,
//     and when the breaker opens.
//  6. Breaker, again, since its state may have changed meanwhile. Only now is
//     one of the half-open breaker's probes taken: one that waited in the
//     queue would keep all others from probing.
//  7. Config.AttemptTimeout starts. Time in the queue is not the host's fault.
//  8. Base sends the request. Tracing belongs in here, around the Base, where
//     it sees what is sent and not what waits. What calls out by itself, as an
//     OAuth token source may, belongs outside, or must use [WithBypass]: with a
//     limit of 1 it would wait for its own request.
//
// When the head of the response arrives, [Classify] judges it and the limiter
// and the breaker are told; latency is the time from 7 to here, so how fast the
// body is read does not count. The place is given back when the body has ended.
//
// Each layer can be used alone by switching off the others: a Policy function
// that returns nil, Breaker.Disabled, NoPacing; retries and timeouts are off
// unless asked for.
//
// # What servers say
//
// Answers of 429, 502 and 503 that carry Retry-After (seconds or a date) hold back
// all requests to the host for that long, but at most Config.MaxRetryAfter.
//
// RateLimit and RateLimit-Policy (the IETF's draft, in its various editions) and
// X-RateLimit headers give the host a pacer. A quota for up to ten seconds is
// spread evenly over them. Half of a quota for longer is there for bursts, and
// what is left beyond that is spread over the time until it is renewed. When
// nothing is left the host waits.
//
// Without such headers the first 429 gives the host a pacer that finds the rate
// by itself: that of the answers that are not 429. A server that counts by windows
// and says nothing is the hard case, since all that is on its way is refused when a
// window is used up. With 500 requests per second, answers after 20 ms and windows of 1
// or 10 s that is 3 or 4 % of the requests, and no part of the quota stays unused (go test
// -v -run TestSilentServer); with answers after 200 ms and windows of 10 s it is 12 %, and
// more where those slide.
//
// That rate is the whole host's, since a 429 does not say whose it is. Where only one
// route or one customer is turned away, slowing down the others does not end it: if the
// refusals are as many of a hundred at half of the rate, the rate is given up. Until that
// shows, ten seconds to a minute may pass at a small part of that rate, and again after
// three minutes, six and so on, since such refusals may have ended; with more than five of a
// hundred the rate may become so low that it does not show. Their Retry-After is obeyed all
// the same. Where you know of such answers have Config.Classify return limiter.Ignored for
// them: then they hold back nobody.
//
// A 429 that a quota explains, or that comes while the rate is being found, is
// told to the limiter as Failed, since it says nothing of how many requests the
// host can do at once.
//
// # Close the bodies
//
// The place of a request is taken until its response body has been read to the
// end, has failed or has been closed, or until the request's context or attempt
// timeout has ended. Responses without a body give it back at once, and so do
// those of 101 Switching Protocols, whose connection is HTTP's no more. A body
// that is forgotten is found by the garbage collector in time; that gives back
// the place, and Stats counts it as Leaked, but its connection is lost until
// its context ends, as it is with net/http alone; the Logger hears of it once.
// Config.MaxHold is a stricter guard. Long polls and streams of events can give
// back their places at their heads: Config.ReleaseAtHead, [WithReleaseAtHead].
//
// For the same reason a goroutine that holds one response open while it sends
// another request to the same host needs two places, and with a limit of 1 it
// waits for itself, unless the second request has [WithBypass].
//
// # Errors
//
// A response is a response, whatever its status: 503 is not an error here. An
// error that matches limiter.ErrRejected or [ErrBreakerOpen] means that the
// request was not sent, so sending it again cannot do anything twice.
// (After a retry that is true of the last attempt only.) [ErrAttemptTimeout] and
// [ErrTimeout] are ours, too. Every other error is the Base's and is
// passed on as it is.
//
// http.Client.Timeout covers the wait too, and replaces the error by one of its
// own that none of these match; Config.Timeout and a context with a deadline do
// not have that flaw.
//
// # What differs from the Base alone
//
//   - Responses whose body holds a place are copies of the Base's, and their
//     Body is of a type of ours, whose Unwrap method returns the Base's.
//   - With a Timeout or an AttemptTimeout, requests are copies as well, so the
//     deprecated http.Transport.CancelRequest does not find them. So are retries
//     that have a body.
//   - http.Client.Timeout needs two more goroutines per request, as with every
//     RoundTripper that net/http does not know.
//
// All of net/http's own tests pass with each client's transport wrapped in
// this one; testdata/conformance tells how to run them and what an
// AttemptTimeout changes.
//
// # Cost
//
// Between 0.4 and 1.1 µs, by the machine, and 2 allocations per request with a fixed limit
// and a breaker, of which gobreaker takes a fourth and 1 allocation (go test -run '^$'
// -bench Overhead). A context that can be cancelled costs 4 more, for the hook on its end,
// and an AttemptTimeout 13.
// Nothing is buffered. A host takes about 2.6 kB.
//
// # Seeing it
//
// [WithInfo] tells what was done for one request, [Transport.Stats] how all hosts
// stand, and Config.Logger hears what changes. The modules httpclient/otelmetrics
// and httpclient/prommetrics bring that to OpenTelemetry and Prometheus, and show
// where otelhttp belongs; who does not import them does not download their clients.
//
// # Where to read on
//
// transport.go begins a request, call.go is the loop of its attempts, attempt.go
// one attempt from admission to the head of the response, and body.go the rest of
// its life. queue.go waits; breaker.go wraps gobreaker; pacer.go, pacing.go,
// foundrate.go and ratelimit.go are about quotas; retry.go about repeating;
// classify.go about what answers mean; host.go and override.go about hosts;
// config.go is what can be chosen, check.go what cannot.
package httpclient
